/*
 * A round of samples: each process, then sockets and control groups of all. See sample.h for who owns it and when it runs.
 */
#include "sample/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sample/private.h"

#define SECOND_NS 1000000000ULL
#define SHARE 50U /* a round may take one part in so many of the time up to the next */
#define PAUSE_MAX_NS (10 * SECOND_NS)

int sampler_new(const char *root, struct sampler **ret)
{
	struct sampler *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->root = root;
	*ret = s;
	return 0;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	sample_sockets_done(s);
	free(s->links);
	free(s);
}

void sample_tell(struct sampler *s, struct event e, const void *data, size_t len)
{
	e.t0 = e.t1 = s->now_ns;
	e.tid = e.pid;
	e.data = data;
	e.data_len = (uint32_t)len;
	s->fn(s->ctx, &e);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void sampler_on_found(struct sampler *s, sample_found_fn fn, void *ctx)
{
	s->found = fn;
	s->found_ctx = ctx;
}

bool sampler_due(const struct sampler *s, uint64_t now_ns)
{
	return now_ns >= s->next_ns;
}

void sampler_round(struct sampler *s, const uint32_t *pids, size_t n, uint64_t now_ns, sample_fn fn, void *ctx)
{
	const uint64_t begun = cpu_ns();

	s->now_ns = now_ns;
	s->fn = fn;
	s->ctx = ctx;
	s->links_n = 0;
	for (size_t i = 0; i < n; i++)
		sample_one_process(s, pids[i]);
	for (size_t i = 0; i < n; i++)
		sample_zombies(s, pids[i]);
	sample_sockets(s, pids, n);
	sample_memories(s, pids, n);
	if (s->found)
		s->found(s->found_ctx, NULL);
	const uint64_t pause = (cpu_ns() - begun) * SHARE;
	/* A little early is on time: what calls us has a beat of a second. */
	s->next_ns = now_ns + (pause > PAUSE_MAX_NS ? PAUSE_MAX_NS : pause > SECOND_NS ? pause : SECOND_NS - SECOND_NS / 10);
}
