/*
 * gzip of one body in memory, by zlib. Level 1: of what telemetry gains by compression, nearly all is there, at a third of the time.
 */
#include "exporters/gzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* zlib: + 16 makes and reads a gzip header */
#define FIRST_ROOM 4096U

int gzip_pack(const struct bytes *in, struct bytes *ret)
{
	z_stream z = {0};
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size_t room = deflateBound(&z, in->len);
	uint8_t *data = malloc(room);
	int rc = data != NULL ? 0 : -ENOMEM;
	if (rc == 0) {
		z.next_in = in->data;
		z.avail_in = (uInt)in->len;
		z.next_out = data;
		z.avail_out = (uInt)room;
		rc = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -EIO;
	}
	if (rc == 0)
		*ret = (struct bytes){.data = data, .len = z.total_out};
	else
		free(data);
	deflateEnd(&z);
	return rc;
}

int gzip_unpack(const struct bytes *in, size_t size_max, struct bytes *ret)
{
	z_stream z = {.next_in = in->data, .avail_in = (uInt)in->len};
	uint8_t *data = NULL;
	size_t room = 0;
	int rc = 0, state = Z_OK;
	if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
		return -ENOMEM;
	while (rc == 0 && state != Z_STREAM_END) {
		/* one byte more than allowed shows that it is too long */
		size_t more = room == 0 ? FIRST_ROOM : room * 2;
		more = more > size_max + 1 ? size_max + 1 : more;
		uint8_t *grown = z.total_out > size_max ? NULL : realloc(data, more);
		if (grown == NULL) {
			rc = z.total_out > size_max ? -EMSGSIZE : -ENOMEM;
			break;
		}
		data = grown;
		room = more;
		z.next_out = data + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		state = inflate(&z, Z_NO_FLUSH);
		bool stuck = state == Z_OK && z.avail_in == 0 && z.avail_out > 0;
		if ((state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) || stuck ||
		    (state == Z_BUF_ERROR && z.avail_out > 0))
			rc = -EBADMSG;
	}
	if (rc == 0 && z.total_out > size_max)
		rc = -EMSGSIZE;
	if (rc == 0)
		*ret = (struct bytes){.data = data, .len = z.total_out};
	else
		free(data);
	inflateEnd(&z);
	return rc;
}
