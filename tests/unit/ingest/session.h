/*
 * A session of ingest for tests, and what it handed on. Header only: each test is one program.
 */
#ifndef GAPSCOPE_TESTS_INGEST_SESSION_H
#define GAPSCOPE_TESTS_INGEST_SESSION_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/producer.h"

#define THREADS 4

struct seen {
	size_t n, ticks, inflight, gone, starts, losses;
	uint64_t lost[WIRE_LOSS_CAUSES];
	uint64_t last_t1;
	uint64_t next[THREADS]; /* a0 expected of each thread, at least */
	uint64_t of_thread[THREADS];
	struct event last;
};

static inline void see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;

	assert_true(e->t1 >= s->last_t1);
	assert_true(e->t0 <= e->t1);
	s->last_t1 = e->t1;
	switch (e->id) {
	case WIRE_TICK:
		s->ticks++;
		return;
	case WIRE_LOSS:
		assert_true(e->a0 < WIRE_LOSS_CAUSES);
		s->losses++;
		s->lost[e->a0] += e->a1;
		return;
	case WIRE_INFLIGHT:
		s->inflight++;
		break;
	case WIRE_PROCESS_GONE:
		s->gone++;
		break;
	case WIRE_SLEEP:
		assert_true(e->fd >= 0 && e->fd < THREADS);
		assert_true(e->a0 >= s->next[e->fd]);
		s->next[e->fd] = e->a0 + 1;
		s->of_thread[e->fd]++;
		break;
	default:
		break;
	}
	s->n++;
	s->last = *e;
	s->last.data = NULL;
}

struct fixture {
	struct ingest *in;
	struct wire_header *shared;
	struct stacks *stacks;
	struct counters counters;
	struct seen seen;
};

static inline struct fixture *open_session_of(struct ingest_options o)
{
	struct fixture *f = calloc(1, sizeof(*f));

	o.process_max = 8;
	o.thread_max = 16;
	o.stacks = true;

	assert_non_null(f);
	f->stacks = stacks_new();
	assert_non_null(f->stacks);
	assert_int_equal(ingest_new(&o, f->stacks, &f->counters, &f->in), 0);
	f->shared = ingest_shared(f->in);
	return f;
}

static inline struct fixture *open_session(uint32_t ring_bytes)
{
	return open_session_of((struct ingest_options){.ring_bytes = ring_bytes});
}

static inline void close_session(struct fixture *f)
{
	ingest_free(f->in);
	stacks_free(f->stacks);
	free(f);
}

static inline size_t poll_session(struct fixture *f, bool drain)
{
	unsigned int wait = 0;
	const size_t n = ingest_poll(f->in, drain, see, &f->seen, &wait);

	assert_in_range(wait, 1, 100);
	return n;
}

#endif
