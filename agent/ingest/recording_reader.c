/*
 * Reads recordings: ingest/recording.h. The file may come from anywhere: every length is checked before it is used, and memory is bounded
 * by one block. Owner: the call; stateless between calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "ingest/bytes.h"
#include "ingest/crc32c.h"
#include "ingest/recording.h"
#include "wire/recording_format.h"

struct reader {
	int fd; /* -1: bytes in memory */
	const uint8_t *bytes;
	size_t left;
	uint64_t offset; /* of the next byte in the file */
	uint32_t number; /* of the next block */
	uint8_t *block;  /* `room` bytes */
	size_t room;
	struct stacks *stacks;
	uint32_t *ids; /* id in the file - 1 → id in `stacks` */
	uint32_t ids_n;
	uint64_t events;
	recording_fn fn;
	void *ctx;
	struct recording_info info;
	struct recording_totals totals;
	char *err;
	size_t err_size;
};

struct block {
	uint32_t type;
	size_t len;
	uint64_t offset;
};

static int fail(const struct reader *r, uint64_t offset, const char *what)
{
	if (r->err != NULL && r->err_size > 0)
		snprintf(r->err, r->err_size, "damaged recording: %s at byte %" PRIu64, what, offset);
	return -EBADMSG;
}

/* Up to n bytes, fewer only at the end; or -errno. */
static ssize_t get(struct reader *r, uint8_t *to, size_t n)
{
	size_t got = 0;

	if (r->fd < 0) {
		got = n < r->left ? n : r->left;
		if (got > 0)
			memcpy(to, r->bytes, got);
		r->bytes += got;
		r->left -= got;
	}
	while (r->fd >= 0 && got < n) {
		const ssize_t k = read(r->fd, to + got, n - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	r->offset += got;
	return (ssize_t)got;
}

static int get_all(struct reader *r, uint8_t *to, size_t n)
{
	const uint64_t begin = r->offset;
	const ssize_t got = get(r, to, n);

	if (got < 0) {
		if (r->err != NULL && r->err_size > 0)
			snprintf(r->err, r->err_size, "cannot read the recording at byte %" PRIu64 ": %s", begin,
				 strerror((int)-got));
		return (int)got;
	}
	return (size_t)got == n ? 0 : fail(r, r->offset, "it is cut off");
}

static int read_file_head(struct reader *r)
{
	uint8_t head[RECORDING_FILE_HEAD_BYTES];
	struct bytes_in in = {.at = head + RECORDING_MAGIC_BYTES, .left = sizeof(head) - RECORDING_MAGIC_BYTES};
	int e = get_all(r, head, sizeof(head));

	if (e < 0)
		return e;
	if (memcmp(head, RECORDING_MAGIC, RECORDING_MAGIC_BYTES) != 0)
		return fail(r, 0, "this is no gapscope recording: wrong first bytes");

	const uint32_t version = (uint32_t)bytes_get(&in, 4), check = (uint32_t)bytes_get(&in, 4);

	if (check != ~version)
		return fail(r, RECORDING_MAGIC_BYTES, "version does not match its complement");
	if (version != RECORDING_VERSION)
		return fail(r, RECORDING_MAGIC_BYTES, "a version that this gapscope does not know");
	return 0;
}

static bool make_room(struct reader *r, size_t len)
{
	uint8_t *block;

	if (len <= r->room)
		return true;
	block = realloc(r->block, len);
	if (block == NULL)
		return false;
	r->block = block;
	r->room = len;
	return true;
}

static int read_block(struct reader *r, struct block *ret)
{
	uint8_t head[RECORDING_BLOCK_HEAD_BYTES];
	struct bytes_in in = {.at = head, .left = sizeof(head)};
	struct block b = {.offset = r->offset};
	int e = get_all(r, head, sizeof(head));

	if (e < 0)
		return e;
	b.type = (uint32_t)bytes_get(&in, 4);
	b.len = (size_t)bytes_get(&in, 4);

	const uint32_t number = (uint32_t)bytes_get(&in, 4), sum = (uint32_t)bytes_get(&in, 4);

	if (b.len > LIMIT_RECORDING_BLOCK)
		return fail(r, b.offset, "a block is longer than any can be");
	if (!make_room(r, b.len))
		return -ENOMEM;
	e = get_all(r, r->block, b.len);
	if (e < 0)
		return e;
	if (crc32c(crc32c(0, head, RECORDING_CRC_AT), r->block, b.len) != sum)
		return fail(r, b.offset, "checksum of a block does not match");
	if (number != r->number)
		return fail(r, b.offset, "a block is missing or out of place");
	r->number++;
	*ret = b;
	return 0;
}

/* A text into buf; cut at its size. */
static void get_text(struct bytes_in *in, char *buf, size_t size)
{
	const size_t len = (size_t)bytes_get(in, 2);
	const uint8_t *at = bytes_take(in, len);
	const size_t keep = len < size - 1 ? len : size - 1;

	if (at != NULL)
		memcpy(buf, at, keep);
	buf[at != NULL ? keep : 0] = '\0';
}

static int read_head(struct reader *r)
{
	struct block b = {0};
	int e = read_file_head(r);

	if (e == 0)
		e = read_block(r, &b);
	if (e < 0)
		return e;

	struct bytes_in in = {.at = r->block, .left = b.len};

	r->info.start_ns = bytes_get(&in, 8);
	r->info.seed = bytes_get(&in, 8);
	r->info.raw_logs = (bytes_get(&in, 4) & RECORDING_RAW_LOGS) != 0;
	get_text(&in, r->info.service, sizeof(r->info.service));
	if (b.type != RECORDING_HEAD || in.failed || in.left != 0)
		return fail(r, b.offset, "its first block is not a head");
	return 0;
}

static int read_stack(struct reader *r, struct bytes_in *in)
{
	static const char malformed[] = "a stack is malformed";
	const uint64_t begin = r->offset - in->left;
	const size_t n = (size_t)bytes_get(in, 1);
	const uint32_t id = (uint32_t)bytes_get(in, 4);
	struct frame frames[LIMIT_STACK_FRAMES] = {0};
	char(*texts)[3][RECORDING_TEXT_MAX + 1];
	uint32_t *ids;
	int e = 0;

	if (in->failed || n > LIMIT_STACK_FRAMES || id != r->ids_n + 1 || r->ids_n >= LIMIT_STACKS)
		return fail(r, begin, malformed);
	texts = malloc((n > 0 ? n : 1) * sizeof(*texts));
	ids = reallocarray(r->ids, (size_t)r->ids_n + 1, sizeof(*ids));
	if (ids != NULL)
		r->ids = ids;
	if (texts == NULL || ids == NULL) {
		e = -ENOMEM;
		goto done;
	}
	for (size_t i = 0; i < n; i++) {
		const unsigned int flags = (unsigned int)bytes_get(in, 1);
		struct frame *f = &frames[i];

		f->runtime = (flags & RECORDING_FRAME_RUNTIME) != 0;
		f->line = (uint32_t)bytes_get(in, 4);
		f->offset = bytes_get(in, 8);
		for (size_t k = 0; k < 3; k++)
			get_text(in, texts[i][k], sizeof(texts[i][k]));
		f->function = (flags & RECORDING_FRAME_FUNCTION) != 0 ? texts[i][0] : NULL;
		f->module = (flags & RECORDING_FRAME_MODULE) != 0 ? texts[i][1] : NULL;
		f->file = (flags & RECORDING_FRAME_FILE) != 0 ? texts[i][2] : NULL;
	}
	if (in->failed)
		e = fail(r, begin, malformed);
	else
		r->ids[r->ids_n++] = stacks_add(r->stacks, frames, n);
done:
	free(texts);
	return e;
}

static int read_event(struct reader *r, struct bytes_in *in)
{
	const uint64_t begin = r->offset - in->left;
	struct event e = {0};
	uint64_t zero = bytes_get(in, 1);

	e.id = (uint16_t)bytes_get(in, 2);
	e.flags = (uint16_t)bytes_get(in, 2);
	e.err = (uint16_t)bytes_get(in, 2);
	e.t0 = bytes_get(in, 8);
	e.t1 = bytes_get(in, 8);
	e.ret = (int64_t)bytes_get(in, 8);
	e.a0 = bytes_get(in, 8);
	e.a1 = bytes_get(in, 8);
	e.pid = (uint32_t)bytes_get(in, 4);
	e.tid = (uint32_t)bytes_get(in, 4);
	e.fd = (int32_t)bytes_get(in, 4);
	e.stack = (uint32_t)bytes_get(in, 4);
	e.data_len = (uint32_t)bytes_get(in, 4);
	if (in->failed || zero != 0 || e.data_len > RECORDING_DATA_MAX || e.stack > r->ids_n)
		return fail(r, begin, "an event is malformed");
	e.data = bytes_take(in, e.data_len);
	if (in->failed)
		return fail(r, begin, "an event is longer than its block");
	if (e.data_len == 0)
		e.data = NULL;
	e.stack = e.stack > 0 ? r->ids[e.stack - 1] : 0;
	r->events++;
	if (r->fn != NULL)
		r->fn(r->ctx, &e);
	return 0;
}

static int read_items(struct reader *r, const struct block *b)
{
	struct bytes_in in = {.at = r->block, .left = b->len};
	int e = 0;

	while (e == 0 && in.left > 0) {
		const uint64_t begin = r->offset - in.left;

		switch (bytes_get(&in, 1)) {
		case RECORDING_STACK:
			e = read_stack(r, &in);
			break;
		case RECORDING_EVENT:
			e = read_event(r, &in);
			break;
		default:
			e = fail(r, begin, "an item of unknown kind");
		}
	}
	return e;
}

static int read_end(struct reader *r, const struct block *b)
{
	struct bytes_in in = {.at = r->block, .left = b->len};
	uint8_t more;

	r->totals.events = bytes_get(&in, 8);
	r->totals.published = bytes_get(&in, 8);
	r->totals.truncated_bytes = bytes_get(&in, 8);
	r->totals.end_ns = bytes_get(&in, 8);

	const uint32_t causes = (uint32_t)bytes_get(&in, 4);

	if (causes > RECORDING_CAUSES_MAX)
		return fail(r, b->offset, "the end mark is malformed");
	for (uint32_t i = 0; i < causes; i++) {
		const uint64_t lost = bytes_get(&in, 8);

		if (i < WIRE_LOSS_CAUSES)
			r->totals.lost[i] = lost;
	}
	r->totals.has_limits = in.left != 0;

	const uint32_t limits = r->totals.has_limits ? (uint32_t)bytes_get(&in, 4) : 0;

	if (limits > RECORDING_CAUSES_MAX)
		return fail(r, b->offset, "the end mark is malformed");
	for (uint32_t i = 0; i < limits; i++) {
		const uint64_t times = bytes_get(&in, 8);

		if (i < LIMIT_REACHED_N)
			r->totals.limits[i] = times;
	}
	if (in.failed || in.left != 0)
		return fail(r, b->offset, "the end mark is malformed");
	if (r->totals.events != r->events)
		return fail(r, b->offset, "the end mark counts other events than there are");
	if (get(r, &more, 1) != 0)
		return fail(r, r->offset - 1, "there are bytes behind its end");
	return 0;
}

static int read_all(struct reader *r)
{
	struct block b;
	int e = read_head(r);

	while (e == 0) {
		e = read_block(r, &b);
		if (e < 0)
			return e;
		if (b.type == RECORDING_END)
			return read_end(r, &b);
		e = b.type == RECORDING_DATA ? read_items(r, &b) : fail(r, b.offset, "a block of unknown type");
	}
	return e;
}

/* Run `what` over the reader, with the buffers it needs. */
static int run(struct reader *r, int (*what)(struct reader *r), struct recording_info *ret_info,
	       struct recording_totals *ret_totals)
{
	const int e = what(r);

	if (e == -ENOMEM && r->err != NULL && r->err_size > 0)
		snprintf(r->err, r->err_size, "not enough memory to read the recording");
	if (e == 0 && ret_info != NULL)
		*ret_info = r->info;
	if (e == 0 && ret_totals != NULL)
		*ret_totals = r->totals;
	free(r->block);
	free(r->ids);
	return e;
}

static int open_file(struct reader *r, const char *path)
{
	int e;

	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd >= 0)
		return 0;
	e = -errno;
	if (r->err != NULL && r->err_size > 0)
		snprintf(r->err, r->err_size, "cannot open recording %s: %s", path, strerror(-e));
	return e;
}

int recording_read(const char *path, struct recording_info *ret_info, struct stacks *stacks, recording_fn fn, void *ctx,
		   struct recording_totals *ret_totals, char *err, size_t err_size)
{
	struct reader r = {.stacks = stacks, .fn = fn, .ctx = ctx, .err = err, .err_size = err_size};
	int e = open_file(&r, path);

	if (e < 0)
		return e;
	e = run(&r, read_all, ret_info, ret_totals);
	close(r.fd);
	return e;
}

int recording_parse(const uint8_t *bytes, size_t len, struct recording_info *ret_info, struct stacks *stacks, recording_fn fn,
		    void *ctx, struct recording_totals *ret_totals, char *err, size_t err_size)
{
	struct reader r = {
		.fd = -1, .bytes = bytes, .left = len, .stacks = stacks, .fn = fn, .ctx = ctx, .err = err, .err_size = err_size};

	return run(&r, read_all, ret_info, ret_totals);
}

int recording_info(const char *path, struct recording_info *ret, char *err, size_t err_size)
{
	struct reader r = {.err = err, .err_size = err_size};
	int e = open_file(&r, path);

	if (e < 0)
		return e;
	e = run(&r, read_head, ret, NULL);
	close(r.fd);
	return e;
}
