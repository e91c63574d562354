/*
 * Call stacks, interned: an id per distinct stack, frames symbolised once at ingest (live) or read from the recording.
 *
 * Owner: the session. Text returned belongs to the table and lives as long as it. Not thread-safe: the session's thread only.
 */
#ifndef GAPSCOPE_CORE_STACKS_H
#define GAPSCOPE_CORE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"

struct frame {
	const char *function; /* demangled, or NULL where the module is stripped */
	const char *module;   /* base name of the object, "libpq.so.5"; of code in no file "[jit]", "[Java]" (unnamed), or "?" */
	const char *file;     /* source file, or NULL */
	uint32_t line;        /* 0 if unknown */
	uint64_t offset;      /* address inside the module (file-relative), for "module+0x1234" */
	bool runtime;         /* in libc, the loader, a TLS or client library, an interpreter: not the application's own code */
};

struct stacks;

/* A new, empty table; NULL only when memory is out. */
struct stacks *stacks_new(void);
void stacks_free(struct stacks *s);
/* Intern a stack, innermost frame first; strings are copied. Returns its id (≥ 1), or 0 at LIMIT_STACKS (counted). */
uint32_t stacks_add(struct stacks *s, const struct frame *frames, size_t n);
/* Frames of a stack; *ret_n = 0 for id 0 or an unknown id. */
const struct frame *stacks_frames(const struct stacks *s, uint32_t id, size_t *ret_n);
uint32_t stacks_count(const struct stacks *s);
/* The frame that a finding names: the innermost one that is the application's own, else the innermost outside libc, else the
 * innermost; NULL if there is none. */
const struct frame *stacks_site(const struct stacks *s, uint32_t id);
/* "charge() at app.c:88", "charge() in libpay.so", "libpay.so+0x1234", "Java code without a name" or "unknown" of a frame (NULL allowed) into buf. */
const char *frame_text(const struct frame *f, char *buf, size_t size);
/* Does this stack hold nothing but a scheduler of the language's runtime (Go's), which waits for others? */
bool stacks_is_scheduler(const struct stacks *s, uint32_t id);
/* Is it a wait of the language's runtime for its own work (a JVM's compilers and collector), which no program's code asked for? */
bool stacks_is_housekeeping(const struct stacks *s, uint32_t id);
/* Is this module one of a runtime (libc, libssl, libcurl, an interpreter …) rather than of the application? By base name. */
bool module_is_runtime(const char *module);

#endif
