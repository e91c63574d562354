/*
 * Samples of the resources of watched processes: processor time, memory, threads, descriptors, sockets, the control group's limit. Read from
 * /proc, sock_diag and the control groups, told as events (core/samples.h): so a recording has them, too.
 *
 * Owner: ingest, on its thread. Reading costs about two hundredths of a processor at most: a round that took long is followed by a longer pause.
 */
#ifndef GAPSCOPE_SAMPLE_SAMPLE_H
#define GAPSCOPE_SAMPLE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct sampler;

/* A socket of a watched process that a round came across, alive. */
struct sample_found {
	uint32_t pid;
	uint32_t net;    /* inode of its network namespace */
	uint64_t cookie; /* its number for the kernel */
	uint16_t port;   /* of our end */
	uint8_t state;   /* as in SAMPLE_SOCKET */
};

/* NULL: the round is over. */
typedef void (*sample_found_fn)(void *ctx, const struct sample_found *found);
typedef void (*sample_fn)(void *ctx, const struct event *e);

/* `root` goes in front of /proc and /sys ("" but in tests). 0 or -ENOMEM; *ret untouched on failure. */
int sampler_new(const char *root, struct sampler **ret);
void sampler_free(struct sampler *s);
/* Tell somebody of the sockets, too. NULL: nobody. */
void sampler_on_found(struct sampler *s, sample_found_fn fn, void *ctx);
/* Is a round due? */
bool sampler_due(const struct sampler *s, uint64_t now_ns);
/* Tell the samples of these processes as events of the time `now_ns`. What may not be read is left out. */
void sampler_round(struct sampler *s, const uint32_t *pids, size_t n, uint64_t now_ns, sample_fn fn, void *ctx);

#endif
