/*
 * What is loaded where: the modules of each watched process, and the program files behind them, shared between processes.
 *
 * Filled by MODULE events; a forked child starts with its parent's. Owner: callsite.c; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_MODULES_H
#define GAPSCOPE_INGEST_MODULES_H

#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "ingest/image.h"
#include "ingest/symbols.h"

struct perfmap;
struct script;

/* A program file and its symbols, opened when first needed. */
struct object;

struct module {
	uint64_t bias, end; /* address = bias + virtual address of the file; end is absolute, exclusive */
	struct object *object;
};

struct space {
	uint32_t pid, parent;
	size_t n, room;
	struct module *modules;  /* by bias */
	unw_addr_space_t unwind; /* made by unwind.c, with its cache of this process's code; NULL until then */
	struct perfmap *perfmap; /* NULL until needed */
	struct script *script;   /* the same */
};

struct modules;

struct modules *modules_new(void);
void modules_free(struct modules *m);
/* Take in what an event says of processes and modules. Returns true if the process's earlier code is gone (a new program). */
bool modules_event(struct modules *m, const struct event *e);
/* The address space of a process; NULL if nothing is known of it. */
struct space *modules_space(struct modules *m, uint32_t pid);
/* The module that holds `address`; NULL if none does. */
const struct module *space_find(const struct space *s, uint64_t address);
/* Its base name, "libpq.so.5". */
const char *object_name(const struct object *o);
/* Its file, NULL if it cannot be read or is another build. */
struct image *object_image(struct object *o);
/* Its symbols, NULL if there are none. */
struct symbols *object_symbols(struct object *o);

#endif
