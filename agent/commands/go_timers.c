/*
 * See go_timers.h. Go's src/runtime/time.go (timer, timers), chan.go (hchan), runtime2.go (sudog).
 *
 * Up to Go 1.22 a timer begins with the address of its processor, later it ends with that of its heap: so it is known to be one. A timer that has
 * just left its heap has neither; whoever sets it again is seen.
 */
#include "commands/go_timers.h"

#include <errno.h>
#include <stdlib.h>

#include "core/process_memory.h"

#define WORD sizeof(uint64_t)
#define HEAP_MAX (1U << 16) /* timers of one processor */
#define TRIES 4U
#define TIMER_WORDS 10U

/* Words of a processor, from the lock of its timers on. */
enum { P_LOCK, P_HEAP, P_HEAP_LEN, P_HEAP_CAP, P_COUNT, P_WORDS };
/* Words of a timer, up to Go 1.22. */
enum { OLD_P, OLD_WHEN, OLD_PERIOD, OLD_F, OLD_ARG_TYPE, OLD_ARG, OLD_SEQ, OLD_NEXT, OLD_STATUS };
enum { STATUS_DELETED = 3, STATUS_REMOVED = 5, STATUS_EARLIER = 7, STATUS_LATER = 8 };
/* And later, from `when` on; two or three words are in front. */
enum { NEW_WHEN, NEW_PERIOD, NEW_F, NEW_ARG_TYPE, NEW_ARG, NEW_SEQ, NEW_HEAP, NEW_WORDS };
enum { NEW_WHEN_FIRST = 2, NEW_WHEN_LAST = 3 };
/* Words of a channel: the first who waits for something to come. */
enum { CHANNEL_WAITER_OLD = 7, CHANNEL_TIMER = 4, CHANNEL_WAITER_NEW = 8 };
struct reader {
	uint32_t pid;
	bool pairs;
	go_timers_fn fn;
	void *ctx;
	size_t known, unknown; /* timers that were what they should be, and others */
};

static uint64_t word(const struct reader *r, uint64_t at)
{
	uint64_t w = 0;

	return at != 0 && process_memory_read(r->pid, at, &w, sizeof(w)) ? w : 0;
}

/* The goroutine that waits for what the timer at `timer` sends. More than one: none. */
static uint64_t receiver(const struct reader *r, uint64_t timer, uint64_t channel)
{
	uint64_t c[CHANNEL_WAITER_NEW + 2], waits[2];
	const size_t at = r->pairs ? CHANNEL_WAITER_NEW : CHANNEL_WAITER_OLD;

	if (channel == 0 || !process_memory_read(r->pid, channel, c, sizeof(c)) || c[at] == 0 || c[at] != c[at + 1] ||
	    (r->pairs && c[CHANNEL_TIMER] != 0 && c[CHANNEL_TIMER] != timer) ||
	    !process_memory_read(r->pid, c[at], waits, sizeof(waits)))
		return 0;
	return waits[0];
}

static void tell(const struct reader *r, uint64_t at, struct go_timer *t, uint64_t f, uint64_t arg)
{
	if (t->when == 0 || t->when > INT64_MAX)
		return;
	t->code = word(r, f);
	t->func = word(r, arg); /* what arg is, its reader knows by the code */
	t->waiter = arg;
	if (!go_goroutine_callers(r->pid, t->waiter, t->callers)) {
		t->waiter = receiver(r, at, arg);
		if (!go_goroutine_callers(r->pid, t->waiter, t->callers))
			t->waiter = 0;
	}
	r->fn(r->ctx, t);
}

static void timer_old(struct reader *r, uint64_t p, uint64_t at)
{
	uint64_t w[TIMER_WORDS];
	struct go_timer t = {0};

	if (at == 0 || !process_memory_read(r->pid, at, w, (OLD_STATUS + 1) * WORD) || w[OLD_P] != p) {
		r->unknown++;
		return;
	}
	const uint32_t status = (uint32_t)w[OLD_STATUS];

	r->known++;
	if (status >= STATUS_DELETED && status <= STATUS_REMOVED)
		return;
	t.when = status == STATUS_EARLIER || status == STATUS_LATER ? w[OLD_NEXT] : w[OLD_WHEN];
	t.period = w[OLD_PERIOD];
	tell(r, at, &t, w[OLD_F], w[OLD_ARG]);
}

static void timer_new(struct reader *r, uint64_t heap, uint64_t at)
{
	uint64_t w[TIMER_WORDS];
	struct go_timer t = {0};

	if (at == 0 || !process_memory_read(r->pid, at, w, sizeof(w))) {
		r->unknown++;
		return;
	}
	for (size_t i = NEW_WHEN_FIRST; i <= NEW_WHEN_LAST; i++) {
		if (w[i + NEW_HEAP] != heap)
			continue;
		r->known++;
		t.when = w[i + NEW_WHEN]; /* 0: it was stopped */
		t.period = w[i + NEW_PERIOD];
		tell(r, at, &t, w[i + NEW_F], w[i + NEW_ARG]);
		return;
	}
	r->unknown++;
}

/* The timers of one processor. */
static int read_heap(struct reader *r, uint64_t p, uint64_t lock)
{
	const size_t step = r->pairs ? 2 : 1;
	uint64_t was[P_WORDS], is[P_WORDS], *all;

	for (unsigned int i = 0; i < TRIES; i++) {
		if (!process_memory_read(r->pid, p + lock, was, sizeof(was)))
			return -EINVAL;
		const uint64_t n = was[P_HEAP_LEN];

		if (n > was[P_HEAP_CAP] || n > HEAP_MAX || (n != 0 && was[P_HEAP] == 0))
			return -EINVAL;
		if (n != (uint32_t)was[P_COUNT])
			continue;
		if (n == 0)
			return 0;
		all = malloc((size_t)n * step * WORD);
		if (all == NULL)
			return -ENOMEM;
		if (process_memory_read(r->pid, was[P_HEAP], all, (size_t)n * step * WORD) &&
		    process_memory_read(r->pid, p + lock, is, sizeof(is)) && is[P_HEAP] == was[P_HEAP] && is[P_HEAP_LEN] == n) {
			for (size_t k = 0; k < n; k++)
				if (r->pairs)
					timer_new(r, p + lock, all[k * step]);
				else
					timer_old(r, p, all[k * step]);
			free(all);
			return 0;
		}
		free(all);
	}
	return -EAGAIN;
}

int go_timers_read(uint32_t pid, const struct go_processors *p, bool heaps_of_pairs, go_timers_fn fn, void *ctx)
{
	struct reader r = {.pid = pid, .pairs = heaps_of_pairs, .fn = fn, .ctx = ctx};

	for (size_t i = 0; i < p->n; i++) {
		const int e = read_heap(&r, word(&r, p->array + i * WORD), p->lock);

		if (e < 0)
			return e;
	}
	return r.unknown > r.known ? -EINVAL : 0;
}
