/* Compressed messages: see packed.h. */
#include "ingest/packed.h"

#include <stdbool.h>

#include <zlib.h>

#define MESSAGE_MIN 18U   /* gzip's head and its end */
#define ANY_WINDOW 15     /* the largest one: RFC 1950, 2.2 */
#define GZIP_AND_ZLIB 32  /* zlib finds out by itself which of both it is */
#define HEADER_CHECK 31U  /* RFC 1950, 2.2: what both bytes are a multiple of */
#define METHOD_DEFLATE 8U /* RFC 1950, 2.2 and RFC 1952, 2.3.1 */

static bool is_packed(const uint8_t *b, size_t len)
{
	if (len < MESSAGE_MIN)
		return false;
	if (b[0] == 0x1f && b[1] == 0x8b)
		return b[2] == METHOD_DEFLATE;
	return b[0] == 0x78 && (b[0] * 256U + b[1]) % HEADER_CHECK == 0;
}

size_t packed_read(const uint8_t *bytes, size_t len, uint8_t *out, size_t room)
{
	z_stream z = {
		.next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};

	if (!is_packed(bytes, len) || inflateInit2(&z, ANY_WINDOW + GZIP_AND_ZLIB) != Z_OK)
		return 0;
	inflate(&z, Z_SYNC_FLUSH); /* cut or not: what came out counts */
	inflateEnd(&z);
	return room - z.avail_out;
}
