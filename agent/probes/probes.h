/*
 * The probes in the kernel (bpf/probes.bpf.c): loads them, tells them whom to watch, and reads what they say. For programs that the shim
 * cannot enter: static ones, Go, musl, seccomp filters.
 *
 * The programs belong to this process's descriptors: when it ends, however it does, the kernel unloads them. After probes_open no call here
 * needs a privilege (privileges.h drops them). Owner: a command; its main thread.
 */
#ifndef GAPSCOPE_PROBES_PROBES_H
#define GAPSCOPE_PROBES_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/probe.h"
#include "wire/shared.h"

#define PROBES_RING_BYTES_DEFAULT (8U << 20)
#define PROBES_FUNCTIONS_MAX 256U /* of Go programs and allocators */

struct probes_options {
	bool own_children;                     /* what this process starts from now on is watched, from its exec on */
	uint32_t ring_bytes;                   /* a power of two; 0 = default */
	uint64_t slow_ns;                      /* a call longer than this tells its stack; 0 = default */
	const struct wire_header *policies_of; /* policy_socket and its kin; NULL = built-in ones */
};

struct probes;

/* Whom probes_read tells. Times are CLOCK_MONOTONIC ns; what is pointed to lasts for the call. */
struct probes_sink {
	void (*record)(void *ctx, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data);
	void (*stack)(void *ctx, uint32_t pid, uint32_t site, uint64_t mono_ns, const struct probe_stack *s);
	/* Instead of the record PROCESS_START: `code` is where the lowest of its code lies. Without a path where there was no room to tell it. */
	void (*image)(void *ctx, uint32_t pid, const struct wire_record *start, const uint8_t *data, uint64_t code);
	/* In front of a record of a descriptor's data, and of what a Go program's runtime said (kind PROBE_GO), of which there is no record. */
	void (*go)(void *ctx, const struct probe_call *c, const uint8_t *data);
	/* The process has ended, its first thread last of all. May be NULL, and may be missed where records are lost. */
	void (*over)(void *ctx, uint32_t pid);
	void *ctx;
};

/* Can they be loaded here? 0, or -ENOTSUP or -EPERM with one line on what is missing and what would change it. Loads nothing. */
int probes_check(char *why, size_t size);
/* Load and attach. 0, or -errno with one line in why. */
int probes_open(const struct probes_options *o, struct probes **ret, char *why, size_t size);
/* Nothing is watched any more, and the programs are gone; what they said can still be read. */
void probes_stop(struct probes *p);
void probes_free(struct probes *p);

/* Watch a running process: its calls that are under way too. Its children are watched by themselves. 0 or -errno. */
int probes_watch(struct probes *p, pid_t pid);
/* Does the kernel's side still have a place for it? Of one that it has not, all has been said. */
bool probes_has(const struct probes *p, uint32_t pid);
void probes_unwatch(struct probes *p, uint32_t pid);
/*
 * From sink->image, or sink->record of a FORK_CHILD: say nothing more of the program that this is about. What the process has gone on to
 * meanwhile, or goes on to later, is told.
 */
void probes_rest(struct probes *p, uint32_t pid);
/* What is copied of a descriptor, as of what was seen of it at seen_ns (CLOCK_MONOTONIC): if its number is another one's since, nothing. */
void probes_set_policy(struct probes *p, uint32_t pid, int fd, uint8_t policy, uint64_t seen_ns);
/* A probe at `offset` of the program file at `path`, for all processes of it: the function is `what`. 0 or -errno. Needs the privileges. */
int probes_go(struct probes *p, const char *path, uint64_t offset, enum probe_go_what what);
/* The same for a function of an allocator; at its returns, too, if it gives memory. Nothing is told of it before probes_alloc_mean. */
int probes_alloc(struct probes *p, const char *path, uint64_t offset, enum probe_alloc_what what);
/* Allocations are sampled every so many bytes, on average; 0: not at all. */
void probes_alloc_mean(struct probes *p, uint32_t mean);
/* This process is sampled though it is not watched, to measure it; 0: none. */
void probes_alloc_measured(struct probes *p, uint32_t pid);
/* Hand on what was said since. `wall_ns`: CLOCK_REALTIME where CLOCK_MONOTONIC is 0. Returns how many were read. */
size_t probes_read(struct probes *p, uint64_t wall_ns, const struct probes_sink *to);
/* Calls under way for longer than `ns`, as records INFLIGHT to sink->record. */
void probes_waiting(struct probes *p, uint64_t now_ns, uint64_t ns, const struct probes_sink *to);
/* A count of this kind since the start, over all processors. */
uint64_t probes_count(const struct probes *p, enum probe_count what);

#endif
