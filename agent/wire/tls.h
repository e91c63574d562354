/*
 * How a TLS session whose library works in memory (BIO_s_mem: event loops do so) is recognised on its connection: by the client's random
 * bytes, 13 of which are among the first that a connection carries. The shim or the probes say them of the session, the model sees them in a
 * read or a write.
 *
 * May be included by preload/, agent/model, agent/commands and their tests.
 */
#ifndef GAPSCOPE_WIRE_TLS_H
#define GAPSCOPE_WIRE_TLS_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_TLS_HELLO_BYTES 24U
#define WIRE_TLS_HANDSHAKE 0x16U /* first byte of a handshake's record; the second is the major version, 3 */

/* Heads of the record and of the message, and a version: then the random bytes begin. */
#define WIRE_TLS_RANDOM_AT 11U
#define WIRE_TLS_RANDOM_BYTES (WIRE_TLS_HELLO_BYTES - WIRE_TLS_RANDOM_AT)

/* FNV-1a of the random's first bytes; never 0. */
static inline uint64_t wire_tls_random(const uint8_t *random)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < WIRE_TLS_RANDOM_BYTES; i++)
		h = (h ^ random[i]) * 0x100000001b3ULL;
	return h ? h : 1;
}

/* Of a connection's first bytes; 0 if they are too few or begin no handshake. */
static inline uint64_t wire_tls_hello(const uint8_t *bytes, size_t len)
{
	if (len < WIRE_TLS_HELLO_BYTES || bytes[0] != WIRE_TLS_HANDSHAKE || bytes[1] != 3)
		return 0;
	return wire_tls_random(bytes + WIRE_TLS_RANDOM_AT);
}

#endif
