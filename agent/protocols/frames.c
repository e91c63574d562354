/*
 * Cutting a stream into frames. A frame that lies whole in the bytes of one call is handed on without a copy. See frames.h.
 */
#include "protocols/frames.h"

#include <string.h>

static void reset(struct frames *f)
{
	f->size = 0;
	f->seen = 0;
	f->kept = 0;
	f->cut = false;
}

void frames_lose(struct frames *f)
{
	reset(f);
	f->lost = true;
}

static void lose(struct frames *f)
{
	frames_lose(f);
	f->t->counters->protocol_resync++;
	if (!f->client)
		talk_doubt(f->t);
	if (f->ops->lost)
		f->ops->lost(f);
}

static void finish(struct frames *f, const uint8_t *bytes, size_t len, uint64_t size)
{
	reset(f);
	f->ops->frame(f, bytes, len, size);
}

/* The head of a frame is there: its size, or the place is lost. */
static bool measure(struct frames *f, const uint8_t *head)
{
	f->size = f->ops->size(f, head);
	if (f->size >= f->head)
		return true;
	lose(f);
	return false;
}

static void keep(struct frames *f, const uint8_t *bytes, size_t n)
{
	size_t room = sizeof(f->bytes) - f->kept;

	if (f->cut)
		return;
	memcpy(f->bytes + f->kept, bytes, n < room ? n : room);
	f->kept += n < room ? n : room;
}

/* One step on a frame that is already under way; how many bytes it took. */
static size_t go_on(struct frames *f, const uint8_t *bytes, size_t len)
{
	size_t n;

	if (!f->size) {
		n = f->head - f->kept < len ? f->head - f->kept : len;
		keep(f, bytes, n);
		f->seen += n;
		if (f->kept < f->head || !measure(f, f->bytes))
			return n;
	} else {
		n = f->size - f->seen < len ? (size_t)(f->size - f->seen) : len;
		keep(f, bytes, n);
		f->seen += n;
	}
	if (f->size && f->seen == f->size)
		finish(f, f->bytes, f->kept, f->size);
	return n;
}

static size_t step(struct frames *f, const uint8_t *bytes, size_t len)
{
	if (f->seen)
		return go_on(f, bytes, len);
	f->from = talk_now(f->t, f->client);
	if (len < f->head)
		return go_on(f, bytes, len);
	if (!measure(f, bytes))
		return len;
	if (f->size > len)
		return f->size = 0, go_on(f, bytes, len);
	size_t n = (size_t)f->size;
	finish(f, bytes, n, n);
	return n;
}

static void skip(struct frames *f, size_t gap)
{
	if (!f->size || gap > f->size - f->seen) {
		/* What the gap hides of this frame is its end; of the next one it hides the start. */
		if (f->size)
			finish(f, f->bytes, f->kept, f->size);
		lose(f);
		return;
	}
	f->cut = true;
	f->seen += gap;
	if (f->seen == f->size)
		finish(f, f->bytes, f->kept, f->size);
}

/* Lost: where the next frame begins in a call's bytes. */
static size_t next_start(struct frames *f, const uint8_t *bytes, size_t len)
{
	if (!f->t->behind && f->ops->begins(f, bytes, len))
		return 0;
	return f->ops->seek ? f->ops->seek(f, bytes, len) : len;
}

void frames_feed(struct frames *f, const uint8_t *bytes, size_t len, size_t gap)
{
	if (f->lost && len) {
		const size_t at = next_start(f, bytes, len);
		if (at < len) {
			reset(f);
			f->lost = false;
			bytes += at;
			len -= at;
		}
	}
	while (len && !f->lost && !f->t->opaque) {
		size_t n = step(f, bytes, len);
		bytes += n;
		len -= n;
	}
	if (gap && !f->lost && !f->t->opaque)
		skip(f, gap);
}
