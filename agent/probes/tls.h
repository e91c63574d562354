/*
 * Probes at the functions of TLS libraries that are part of a program (bpf/tls.bpf.c): what goes through them in the clear. Loaded only where such
 * a program is watched. The programs belong to this process's descriptors; after tls_probes_stand no call here needs a privilege.
 * Owner: a command; its main thread.
 */
#ifndef GAPSCOPE_PROBES_TLS_H
#define GAPSCOPE_PROBES_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/tls.h"

struct tls_probes;

#define TLS_PROBES_MAX 512U

/* 0, or -errno with one line in why. */
int tls_probes_open(struct tls_probes **ret, char *why, size_t size);
void tls_probes_free(struct tls_probes *p);
/* A probe at this place in the file at `path`. 0 or -errno. */
int tls_probes_stand(struct tls_probes *p, const char *path, uint64_t offset, uint64_t cookie);
/* A process of the service, and what it forks from now on. 0 or -errno. */
int tls_probes_watch(struct tls_probes *p, uint32_t pid);
/* Tell all that was said since the last time. */
void tls_probes_read(struct tls_probes *p, void (*fn)(void *ctx, const struct tls_said *said, const uint8_t *data), void *ctx);
uint64_t tls_probes_count(const struct tls_probes *p, enum tls_count what);

#endif
