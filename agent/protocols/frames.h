/*
 * One direction of a stream of frames whose head says how long they are: cuts bytes that arrive split anywhere, and with gaps, into
 * frames, and finds a frame's start again after a loss. No more than LIMIT_FRAME_HEAD bytes of a frame are kept.
 */
#ifndef GAPSCOPE_PROTOCOLS_FRAMES_H
#define GAPSCOPE_PROTOCOLS_FRAMES_H

#include "protocols/talk.h"

#define FRAMES_HEAD_MAX 24U

struct frames;

struct frames_ops {
	/* Size of a whole frame, from its first f->head bytes; 0 = this is no frame. */
	uint64_t (*size)(struct frames *f, const uint8_t *head);
	/* A frame is over: its first `len` bytes as far as they were captured, and its size. f->from says where it began. */
	void (*frame)(struct frames *f, const uint8_t *bytes, size_t len, uint64_t size);
	/* Lost, and a call's bytes begin so: is this where a frame begins? */
	bool (*begins)(struct frames *f, const uint8_t *bytes, size_t len);
	/* The same anywhere in them: where, or `len`. NULL: nothing tells. */
	size_t (*seek)(struct frames *f, const uint8_t *bytes, size_t len);
	/* A frame could not be followed to its end. */
	void (*lost)(struct frames *f);
};

struct frames {
	const struct frames_ops *ops;
	struct talk *t;
	bool client; /* of the client's side */
	bool lost, cut;
	unsigned int head; /* bytes that tell a frame's size */
	uint64_t size;     /* of the frame under way, 0 = not known yet */
	uint64_t seen;     /* bytes of it */
	struct talk_mark from;
	size_t kept;
	uint8_t bytes[LIMIT_FRAME_HEAD];
};

/* `len` bytes, then `gap` that were not captured. */
void frames_feed(struct frames *f, const uint8_t *bytes, size_t len, size_t gap);
/* Forget the frame under way and look for the next start. */
void frames_lose(struct frames *f);

#endif
