/*
 * What the probes in TLS libraries that are part of a program (tls.bpf.c) and the agent (agent/probes/tls.c) share: OpenSSL and its descendants,
 * whose functions keep their names and arguments. May be included by bpf/ and agent/ (probes, commands) only.
 */
#ifndef GAPSCOPE_BPF_TLS_H
#define GAPSCOPE_BPF_TLS_H

#ifndef __bpf__
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#endif

#define TLS_CALLS 4096U /* calls under way at once */
#define TLS_RING_BYTES (4U << 20)
#define TLS_PLAIN 4096U    /* bytes of plaintext that are copied of one call */
#define TLS_PLAIN_FEW 512U /* so many take less room */
#define TLS_RANDOM 16U     /* bytes of the client's random */

/* A probe's cookie: what it stands at, and where in a session the client's random bytes are. */
enum tls_probe {
	TLS_PROBE_READ = 1, /* SSL_read(session, buffer, size): bytes, or at most 0 */
	TLS_PROBE_WRITE,
	TLS_PROBE_READ_EX, /* SSL_read_ex(session, buffer, size, bytes): 1 where it worked */
	TLS_PROBE_WRITE_EX,
	TLS_PROBE_FREE, /* SSL_free(session) */
	TLS_PROBE_WHAT = 0x7f,
	TLS_PROBE_DONE = 0x80, /* with one of these: it returns */
};
#define TLS_PROBE_RANDOM_SHIFT 8

/* Head of what is told; the bytes follow. */
struct tls_said {
	uint32_t what; /* enum tls_probe */
	uint32_t tgid;
	uint32_t tid;
	uint32_t data_len;
	uint64_t t0; /* CLOCK_MONOTONIC */
	uint64_t t1;
	uint64_t session;
	uint64_t bytes;
	uint8_t random[TLS_RANDOM]; /* zeros: not known */
};

enum tls_count { TLS_TOLD, TLS_FULL, TLS_UNREADABLE, TLS_COUNTS };

#ifndef __bpf__
static_assert(sizeof(struct tls_said) == 64, "");
#endif

#endif
