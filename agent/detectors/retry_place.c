/*
 * What lay between two attempts: the sleep of the thread that makes them, where in the code it was asked for, and whether something was logged.
 * Threads and processes share slots of small tables; the newest has a slot. The session's thread.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define COND_MIN_NS NS_PER_MS /* shorter waits of threads for each other are the runtime's */
#define EDGE_NS NS_PER_MS     /* what is done around a sleep */

static struct retry_slept *slept_of(struct retry *r, uint32_t tid)
{
	return &r->slept[(tid * 2654435761U >> 16) % RETRY_THREADS_MAX];
}

void retry_slept(struct retry *r, const struct wait *w)
{
	struct retry_slept *s = slept_of(r, w->tid);

	if (w->op != WAIT_SLEEP || w->outcome == WAIT_PENDING)
		return;
	if (w->how == WAIT_BY_COND && (w->outcome != WAIT_TIMED_OUT || elapsed_ns(w->t0, w->t1) < COND_MIN_NS))
		return;
	if (s->tid != w->tid)
		*s = (struct retry_slept){.tid = w->tid};
	s->sleeps[s->n++ % RETRY_SLEEPS_MAX] = (struct retry_sleep){.t0 = w->t0, .t1 = w->t1, .stack = w->stack};
}

void retry_logged(struct retry *r, const struct log_write *l)
{
	r->logged[l->process->pid % RETRY_THREADS_MAX] = l->event->t0;
}

/* The longest sleep of a thread between two moments, NULL if none was seen. */
static const struct retry_sleep *sleep_between(struct retry *r, uint32_t tid, uint64_t from_ns, uint64_t to_ns)
{
	const struct retry_slept *s = slept_of(r, tid);
	const struct retry_sleep *longest = NULL;

	for (uint32_t i = 0; s->tid == tid && i < RETRY_SLEEPS_MAX && i < s->n; i++) {
		const struct retry_sleep *at = &s->sleeps[i];
		if (at->t0 + EDGE_NS >= from_ns && at->t1 <= to_ns + EDGE_NS &&
		    (!longest || elapsed_ns(at->t0, at->t1) > elapsed_ns(longest->t0, longest->t1)))
			longest = at;
	}
	return longest;
}

/* A stack as the script has it, if it is one: what the interpreter does beneath changes as it learns. Innermost first. */
static const struct frame *frames_of(const struct retry *r, uint32_t stack, size_t *ret_n)
{
	const struct frame *f = stacks_frames(r->env.stacks, stack, ret_n);
	size_t script = 0;

	while (script < *ret_n && f[script].file && !f[script].offset)
		script++;
	*ret_n = script ? script : *ret_n;
	return f;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_function(const struct frame *a, const struct frame *b)
{
	return a->function && same_text(a->function, b->function) && same_text(a->module, b->module) && same_text(a->file, b->file);
}

/* Compilers make several of one line's call. */
static uint64_t position_of(const struct frame *f)
{
	return f->function && f->line ? f->line : f->offset;
}

static bool same_call(const struct frame *a, const struct frame *b)
{
	return position_of(a) == position_of(b) && same_text(a->function, b->function) && same_text(a->module, b->module);
}

/* Calls that two stacks share, from the outermost one in: the last of them may have gone on to another line. */
static uint32_t shared_depth(const struct retry *r, uint32_t stack, uint32_t other)
{
	size_t n, m;
	const struct frame *a = frames_of(r, stack, &n), *b = frames_of(r, other, &m);
	uint32_t depth = 0;

	for (; n && m && same_call(&a[n - 1], &b[m - 1]); n--, m--)
		depth++;
	return depth + (n && m && same_function(&a[n - 1], &b[m - 1]));
}

static uint32_t place_hash(const struct retry *r, uint32_t stack)
{
	size_t n;
	const struct frame *f = frames_of(r, stack, &n);
	uint64_t h = EVIDENCE_HASH_SEED;

	for (size_t i = 0; i < n; i++) {
		const uint64_t position = position_of(&f[i]);
		h = evidence_hash(h, &position, sizeof position);
		if (f[i].function)
			h = evidence_hash(h, f[i].function, strlen(f[i].function));
	}
	return n ? (uint32_t)(h >> 32) | 1 : 0;
}

/* The same of what has lines of source: a runtime that compiles as it goes moves the rest. */
static uint32_t lines_hash(const struct retry *r, uint32_t stack)
{
	size_t n, lines = 0;
	const struct frame *f = frames_of(r, stack, &n);
	uint64_t h = EVIDENCE_HASH_SEED;

	for (size_t i = 0; i < n; i++) {
		if (!f[i].function || !f[i].line)
			continue;
		h = evidence_hash(h, &f[i].line, sizeof f[i].line);
		h = evidence_hash(h, f[i].function, strlen(f[i].function));
		lines++;
	}
	return lines ? (uint32_t)(h >> 32) | 1 : 0;
}

struct calls_gap retry_gap_seen(struct retry *r, const struct retry_sequence *s, const struct retry_attempt *a, uint64_t gap_ns)
{
	const bool same = a->tid == s->tid && a->pid == s->pid;
	const struct retry_sleep *w = same ? sleep_between(r, a->tid, s->last_end_ns, a->start_ns) : NULL;
	const uint64_t us = gap_ns / 1000;

	return (struct calls_gap){
		.us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX,
		.wait = w ? place_hash(r, w->stack) : 0,
		.send = place_hash(r, a->stack),
		.line = lines_hash(r, a->stack),
		.woken = same && retry_asked_woken(r, a->tid, s->last_end_ns, a->start_ns),
		.depth = w && s->stack ? shared_depth(r, s->stack, w->stack) : 0,
		.logged = r->logged[a->pid % RETRY_THREADS_MAX] >= s->last_end_ns,
	};
}
