/* MySQL's compressed packets: see mysql_packed.h. */
#include "protocols/mysql_packed.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/frames.h"
#include "protocols/unpack.h"
#include "wire/shared.h"

#define HEAD MYSQL_PACKED_HEAD /* size as sent, number, size unpacked: 0 = it was not packed */
#define SMALL 1024U            /* a packet that was not packed is no larger by far; larger ones are no beginning */

/* One direction. The frames come first, so that they lead here. */
struct side {
	struct frames frames;
	const struct mysql_packed_ops *ops;
};

struct mysql_packed {
	struct side client, server;
};

static const struct side *side_of(const struct frames *f)
{
	return (const struct side *)f;
}

static uint64_t size_of(struct frames *f, const uint8_t *head)
{
	(void)f;
	return (uint64_t)talk_le24(head) + HEAD;
}

static void frame(struct frames *f, const uint8_t *b, size_t len, uint64_t size)
{
	const struct mysql_packed_ops *const ops = side_of(f)->ops;
	const size_t there = len > HEAD ? len - HEAD : 0;
	uint8_t unpacked[WIRE_DATA_MAX];
	size_t whole, n;

	if (len < HEAD)
		return;
	whole = talk_le24(b + 4);
	if (whole == 0) {
		ops->bytes(f->t, f->client, b + HEAD, there, (size_t)size - len);
		return;
	}
	n = unpack_zlib(b + HEAD, there, unpacked, whole < sizeof(unpacked) ? whole : sizeof(unpacked));
	ops->bytes(f->t, f->client, unpacked, n, whole - n);
	explicit_bzero(unpacked, n);
}

/* One that was not packed and is all here, or the two bytes that zlib's texts begin with. */
static bool begins(struct frames *f, const uint8_t *b, size_t len)
{
	(void)f;
	if (len < HEAD + 2 || talk_le24(b) == 0)
		return false;
	if (talk_le24(b + 4) == 0)
		return talk_le24(b) < SMALL && talk_le24(b) + HEAD <= len;
	return talk_le24(b + 4) > talk_le24(b) / 2 && b[HEAD] == 0x78 && (b[HEAD] << 8 | b[HEAD + 1]) % 31 == 0;
}

bool mysql_packed_is(const uint8_t *bytes, size_t len)
{
	return len > HEAD + 4 && talk_le24(bytes + 4) == 0 && talk_le24(bytes) >= 5 && talk_le24(bytes) + HEAD == len &&
	       talk_le24(bytes + HEAD) + 4 == talk_le24(bytes);
}

static void lost(struct frames *f)
{
	side_of(f)->ops->lost(f->t, f->client);
}

static const struct frames_ops ops_of_frames = {.size = size_of, .frame = frame, .begins = begins, .lost = lost};

struct mysql_packed *mysql_packed_new(struct talk *t, const struct mysql_packed_ops *ops)
{
	struct mysql_packed *const p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->client = (struct side){.frames = {.ops = &ops_of_frames, .t = t, .client = true, .head = HEAD}, .ops = ops};
	p->server = (struct side){.frames = {.ops = &ops_of_frames, .t = t, .head = HEAD}, .ops = ops};
	return p;
}

void mysql_packed_free(struct mysql_packed *p)
{
	free(p);
}

void mysql_packed_feed(struct mysql_packed *p, bool client, const uint8_t *bytes, size_t len, size_t gap)
{
	frames_feed(client ? &p->client.frames : &p->server.frames, bytes, len, gap);
}

void mysql_packed_lose(struct mysql_packed *p)
{
	frames_lose(&p->client.frames);
	frames_lose(&p->server.frames);
}
