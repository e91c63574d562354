/*
 * Writes recordings: ingest/recording.h. One block is filled in memory and written when full, so a crash of the agent costs at most
 * that block and the end mark. Owner: the caller of recording_create; one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "ingest/bytes.h"
#include "ingest/crc32c.h"
#include "ingest/recording.h"
#include "wire/recording_format.h"

#define BLOCK_FILL 65536U /* a block is written when it holds so much */
#define ITEM_MAX \
	(RECORDING_EVENT_HEAD_BYTES + RECORDING_DATA_MAX + RECORDING_STACK_HEAD_BYTES + \
	 LIMIT_STACK_FRAMES * (RECORDING_FRAME_HEAD_BYTES + 3U * (2U + RECORDING_TEXT_MAX)))
static_assert(BLOCK_FILL + ITEM_MAX <= LIMIT_RECORDING_BLOCK, "a block that is nearly full takes one more item");
static_assert(LIMIT_STACK_FRAMES <= UINT8_MAX, "frames are counted in a byte");

struct recording_writer {
	int fd;
	int error; /* -errno of the first failure */
	uint32_t number;
	uint32_t stacks_written; /* ids 1 … this are in the file */
	uint64_t events;
	const struct stacks *stacks;
	size_t fill;
	uint8_t block[RECORDING_BLOCK_HEAD_BYTES + BLOCK_FILL + ITEM_MAX];
};

static int write_all(struct recording_writer *w, const uint8_t *bytes, size_t len)
{
	while (w->error == 0 && len > 0) {
		const ssize_t n = write(w->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->error = -errno;
			break;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return w->error;
}

static uint8_t *room(struct recording_writer *w)
{
	return w->block + RECORDING_BLOCK_HEAD_BYTES + w->fill;
}

static void filled(struct recording_writer *w, const uint8_t *end)
{
	w->fill = (size_t)(end - w->block) - RECORDING_BLOCK_HEAD_BYTES;
}

static int flush(struct recording_writer *w, enum recording_block type)
{
	uint8_t *at = w->block;
	uint32_t sum;

	at = bytes_put(at, type, 4);
	at = bytes_put(at, w->fill, 4);
	at = bytes_put(at, w->number++, 4);
	sum = crc32c(0, w->block, RECORDING_CRC_AT);
	sum = crc32c(sum, w->block + RECORDING_BLOCK_HEAD_BYTES, w->fill);
	bytes_put(at, sum, 4);
	write_all(w, w->block, RECORDING_BLOCK_HEAD_BYTES + w->fill);
	w->fill = 0;
	return w->error;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
	const size_t all = strlen(text), len = all < RECORDING_TEXT_MAX ? all : RECORDING_TEXT_MAX;

	at = bytes_put(at, len, 2);
	return bytes_put_raw(at, text, len);
}

int recording_create(const char *path, const struct recording_info *info, const struct stacks *stacks,
		     struct recording_writer **ret)
{
	struct recording_writer *w = calloc(1, sizeof(*w));
	uint8_t head[RECORDING_FILE_HEAD_BYTES], *at = head;
	int r;

	if (w == NULL)
		return -ENOMEM;
	w->stacks = stacks;
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (w->fd < 0) {
		r = -errno;
		free(w);
		return r;
	}
	at = bytes_put_raw(at, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);
	at = bytes_put(at, RECORDING_VERSION, 4);
	bytes_put(at, ~RECORDING_VERSION, 4);
	write_all(w, head, sizeof(head));

	at = room(w);
	at = bytes_put(at, info->start_ns, 8);
	at = bytes_put(at, info->seed, 8);
	at = bytes_put(at, info->raw_logs ? RECORDING_RAW_LOGS : 0, 4);
	at = put_text(at, info->service);
	filled(w, at);
	r = flush(w, RECORDING_HEAD);
	if (r < 0) {
		close(w->fd);
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void put_stack(struct recording_writer *w, uint32_t id)
{
	size_t n;
	const struct frame *frames = stacks_frames(w->stacks, id, &n);
	uint8_t *at = room(w);

	if (n > LIMIT_STACK_FRAMES)
		n = LIMIT_STACK_FRAMES;
	*at++ = RECORDING_STACK;
	*at++ = (uint8_t)n;
	at = bytes_put(at, id, 4);
	for (size_t i = 0; i < n; i++) {
		const struct frame *f = &frames[i];

		*at++ = (uint8_t)((f->runtime ? RECORDING_FRAME_RUNTIME : 0U) |
				  (f->function != NULL ? RECORDING_FRAME_FUNCTION : 0U) |
				  (f->module != NULL ? RECORDING_FRAME_MODULE : 0U) |
				  (f->file != NULL ? RECORDING_FRAME_FILE : 0U));
		at = bytes_put(at, f->line, 4);
		at = bytes_put(at, f->offset, 8);
		at = put_text(at, f->function != NULL ? f->function : "");
		at = put_text(at, f->module != NULL ? f->module : "");
		at = put_text(at, f->file != NULL ? f->file : "");
	}
	filled(w, at);
}

int recording_write(struct recording_writer *w, const struct event *e)
{
	const uint32_t len = e->data_len < RECORDING_DATA_MAX ? e->data_len : RECORDING_DATA_MAX;
	uint8_t *at;

	if (w->error < 0)
		return w->error;
	/* All ids up to this one, so that a reader's table gives the same ids. */
	while (w->stacks_written < e->stack && w->stacks_written < stacks_count(w->stacks)) {
		put_stack(w, ++w->stacks_written);
		if (w->fill >= BLOCK_FILL && flush(w, RECORDING_DATA) < 0)
			return w->error;
	}
	at = room(w);
	*at++ = RECORDING_EVENT;
	*at++ = 0;
	at = bytes_put(at, e->id, 2);
	at = bytes_put(at, e->flags, 2);
	at = bytes_put(at, e->err, 2);
	at = bytes_put(at, e->t0, 8);
	at = bytes_put(at, e->t1, 8);
	at = bytes_put(at, (uint64_t)e->ret, 8);
	at = bytes_put(at, e->a0, 8);
	at = bytes_put(at, e->a1, 8);
	at = bytes_put(at, e->pid, 4);
	at = bytes_put(at, e->tid, 4);
	at = bytes_put(at, (uint32_t)e->fd, 4);
	at = bytes_put(at, e->stack, 4);
	at = bytes_put(at, len, 4);
	at = bytes_put_raw(at, e->data, len);
	filled(w, at);
	w->events++;
	return w->fill >= BLOCK_FILL ? flush(w, RECORDING_DATA) : 0;
}

int recording_close(struct recording_writer *w, const struct recording_totals *t)
{
	uint8_t *at;
	int r;

	if (w == NULL)
		return 0;
	if (w->fill > 0)
		flush(w, RECORDING_DATA);
	at = room(w);
	at = bytes_put(at, w->events, 8);
	at = bytes_put(at, t->published, 8);
	at = bytes_put(at, t->truncated_bytes, 8);
	at = bytes_put(at, t->end_ns, 8);
	at = bytes_put(at, WIRE_LOSS_CAUSES, 4);
	for (unsigned int i = 0; i < WIRE_LOSS_CAUSES; i++)
		at = bytes_put(at, t->lost[i], 8);
	at = bytes_put(at, LIMIT_REACHED_N, 4);
	for (unsigned int i = 0; i < LIMIT_REACHED_N; i++)
		at = bytes_put(at, t->limits[i], 8);
	filled(w, at);
	flush(w, RECORDING_END);
	/* A pipe or a device cannot be synced; that is no loss. */
	if (w->error == 0 && fsync(w->fd) < 0 && errno != EINVAL && errno != EROFS)
		w->error = -errno;
	if (close(w->fd) < 0 && w->error == 0)
		w->error = -errno;
	r = w->error;
	free(w);
	return r;
}
