/* Decompression of beginnings: see unpack.h. */
#include "protocols/unpack.h"

#include <stdbool.h>
#include <string.h>

#ifndef GAPSCOPE_SHIM_ONLY
#include <zlib.h>
#endif

struct unpacking {
	const uint8_t *at, *end;
	uint8_t *out;
	size_t used, room;
};

/* A number of up to four bytes, lowest first; false where it is cut. */
static bool little(struct unpacking *u, unsigned int bytes, size_t *ret)
{
	if ((size_t)(u->end - u->at) < bytes)
		return false;
	*ret = 0;
	for (unsigned int i = 0; i < bytes; i++)
		*ret |= (size_t)*u->at++ << (8 * i);
	return true;
}

/* Bytes as they stand; false where they, or the room, end. */
static bool literal(struct unpacking *u, uint8_t tag)
{
	size_t n = tag >> 2, there, room = u->room - u->used;

	if (n >= 60 && !little(u, (unsigned int)n - 59, &n))
		return false;
	n++;
	there = (size_t)(u->end - u->at);
	if (n > there || n > room) {
		n = there < room ? there : room;
		memcpy(u->out + u->used, u->at, n);
		u->used += n;
		return false;
	}
	memcpy(u->out + u->used, u->at, n);
	u->used += n;
	u->at += n;
	return true;
}

/* Bytes that were written before, which may be the ones that this writes. */
static bool copy(struct unpacking *u, uint8_t tag)
{
	size_t n = (tag & 3) == 1 ? 4 + (tag >> 2 & 7U) : 1U + (tag >> 2), back;

	if (!little(u, (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4, &back))
		return false;
	if ((tag & 3) == 1)
		back |= (size_t)(tag >> 5) << 8;
	if (back == 0 || back > u->used)
		return false;
	for (; n > 0 && u->used < u->room; n--, u->used++)
		u->out[u->used] = u->out[u->used - back];
	return n == 0;
}

size_t unpack_snappy(const uint8_t *bytes, size_t len, uint8_t *out, size_t room)
{
	struct unpacking u = {.at = bytes, .end = bytes + len, .out = out, .room = room};
	bool more = true;

	while (u.at < u.end && (*u.at & 0x80)) /* how long it is in all */
		u.at++;
	if (u.at < u.end)
		u.at++;
	while (more && u.at < u.end) {
		const uint8_t tag = *u.at++;

		more = (tag & 3) == 0 ? literal(&u, tag) : copy(&u, tag);
	}
	return u.used;
}

size_t unpack_zlib(const uint8_t *bytes, size_t len, uint8_t *out, size_t room)
{
#ifdef GAPSCOPE_SHIM_ONLY
	(void)bytes, (void)len, (void)out, (void)room;
	return 0;
#else
	z_stream z = {
		.next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};

	if (inflateInit(&z) != Z_OK)
		return 0;
	inflate(&z, Z_SYNC_FLUSH); /* cut or not: what came out counts */
	inflateEnd(&z);
	return room - z.avail_out;
#endif
}
