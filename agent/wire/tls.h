/*
 * How a TLS session whose library works in memory (BIO_s_mem: event loops do so) is recognised on its connection: by the first bytes of
 * the handshake, 13 of which are random. The shim says them of the session, the model sees them in a read or a write.
 *
 * May be included by preload/, agent/model and their tests.
 */
#ifndef GAPSCOPE_WIRE_TLS_H
#define GAPSCOPE_WIRE_TLS_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_TLS_HELLO_BYTES 24U
#define WIRE_TLS_HANDSHAKE 0x16U /* first byte of a handshake's record; the second is the major version, 3 */

/* FNV-1a of the first bytes; 0 if they are too few or begin no handshake. */
static inline uint64_t wire_tls_hello(const uint8_t *bytes, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	if (len < WIRE_TLS_HELLO_BYTES || bytes[0] != WIRE_TLS_HANDSHAKE || bytes[1] != 3)
		return 0;
	for (size_t i = 0; i < WIRE_TLS_HELLO_BYTES; i++)
		h = (h ^ bytes[i]) * 0x100000001b3ULL;
	return h ? h : 1;
}

#endif
