/*
 * Memory: who asks for it, what is never given back, and what requests cost. Works on samples of allocations (model/heap.c), so every
 * number is an estimate but for the bytes asked for in all. Owns sites (call stacks), groups (functions of one process) and operations.
 *
 * Nothing here knows what a program still has a use for: a group counts as growing only if it does so behind the start, evenly and up to
 * the end, and with memory from all of that time.
 */
#include "detectors/heap.h"
#include "core/elapsed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_FRAMES 3U /* frames of the program's own that make a group: a function that all go through is not enough */
#define JUDGE_NS (30 * NS_PER_S)

const struct rule heap_rules[] = {
	[HEAP_GROWTH] =
		{.id = "resource.heap.growth",
		 .severity = SEVERITY_ERROR,
		 .title = "memory that only grows",
		 .doc = "What one place of the program holds in memory grew evenly and up to the end, behind the start and over "
			"many "
			"requests, and memory from all of that time is still held. The regression's interval is in the evidence. A "
			"cache "
			"that fills evenly looks the same until it is full: over less than half an hour it is suspected only, and "
			"not "
			"told before the session ends.",
		 .remedy = "Free what is not needed any more; give a cache or a list a bound."},
	[HEAP_NEVER_FREED] =
		{.id = "resource.heap.never_freed",
		 .severity = SEVERITY_WARNING,
		 .title = "memory that was never freed",
		 .doc = "All through its life the program allocated at this place, and when it ended nearly none of it had been "
			"freed. In a program that runs for longer this is a leak.",
		 .remedy = "Free each block when its work is done, not only with the process."},
	[HEAP_REQUEST] = {.id = "resource.heap.request",
			  .severity = SEVERITY_INFO,
			  .title = "much memory for each request",
			  .doc = "On average, serving a request of this kind allocates more than `request_bytes` in all.",
			  .remedy = "Stream or page what is large; reuse buffers."},
	[HEAP_REQUEST_SIZE] =
		{.id = "resource.heap.request_size",
		 .severity = SEVERITY_WARNING,
		 .title = "a request decides how much memory is allocated at once",
		 .doc = "One allocation of at least `huge_bytes` had the size that the request named, or that its body had: "
			"whoever sends requests decides how much memory the service takes.",
		 .remedy = "Check the size against a limit before allocating; read large bodies in pieces."},
	{0},
};

static const struct option heap_options[] = {
	[HEAP_MIN_SECONDS] = {"min_seconds", 20, 1, 86400, "s", "growth over less time behind the start is not judged, at the end"},
	[HEAP_LIVE_SECONDS] = {"live_seconds", 1800, 1, 86400, "s", "the same while the session lasts"},
	[HEAP_MIN_REQUESTS] = {"min_requests", 20, 0, 1e9, "requests", "growth of a server over fewer requests is not judged"},
	[HEAP_MIN_BYTES] = {"min_bytes", MIB, 1, 1e15, "B", "less growth, or less that was never freed, is not told"},
	[HEAP_MIN_SAMPLES] = {"min_samples", 8, 4, 1e6, "samples", "fewer samples prove nothing"},
	[HEAP_REQUEST_BYTES] = {"request_bytes", 64 * MIB, 1, 1e15, "B", "so much memory for a request is much"},
	[HEAP_HUGE_BYTES] = {"huge_bytes", 16 * MIB, 1, 1e15, "B", "so much memory in one allocation is much"},
	{0},
};

double heap_scale(const struct heap *h)
{
	return h->asked > 0 && h->estimated > 0 ? (double)h->asked / h->estimated : 1;
}

const char *heap_bytes_text(double bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t u = 0;

	while (bytes >= 1024 && u + 1 < sizeof units / sizeof *units) {
		bytes /= 1024;
		u++;
	}
	snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
	return buf;
}

static void *heap_create(const struct detector_env *env)
{
	struct heap *h = calloc(1, sizeof *h);

	if (h)
		h->env = *env;
	return h;
}

static void group_free(struct heap *h, struct heap_group *g)
{
	HASH_DEL(h->groups, g);
	free(g);
}

static void heap_destroy(void *state)
{
	struct heap *h = state;

	while (h && h->sites) {
		struct heap_site *s = h->sites;
		HASH_DEL(h->sites, s);
		free(s);
	}
	while (h && h->groups)
		group_free(h, h->groups);
	while (h && h->operations) {
		struct heap_operation *o = h->operations;
		HASH_DEL(h->operations, o);
		free(o);
	}
	while (h && h->processes) {
		struct heap_process *p = h->processes;
		HASH_DEL(h->processes, p);
		free(p);
	}
	free(h);
}

struct heap_process *heap_process_of(struct heap *h, uint32_t pid)
{
	struct heap_process *p;

	HASH_FIND(hh, h->processes, &pid, sizeof pid, p);
	if (!p && HASH_COUNT(h->processes) < LIMIT_PROCESSES && (p = calloc(1, sizeof *p))) {
		p->pid = pid;
		p->start_ns = h->now_ns;
		HASH_ADD(hh, h->processes, pid, sizeof p->pid, p);
	}
	return p;
}

/* The program's own innermost frames; of an interpreter, whose code is none of the program's, its own. */
uint64_t heap_path(const struct stacks *stacks, uint32_t stack)
{
	size_t n = 0, used = 0;
	const struct frame *f = stacks_frames(stacks, stack, &n), *site = stacks_site(stacks, stack);
	uint64_t hash = EVIDENCE_HASH_SEED;

	for (size_t i = site ? (size_t)(site - f) : n; i < n && used < GROUP_FRAMES; i++) {
		if (f[i].runtime != site->runtime)
			continue;
		if (f[i].module)
			hash = evidence_hash(hash, f[i].module, strlen(f[i].module));
		hash = f[i].function ? evidence_hash(hash, f[i].function, strlen(f[i].function))
				     : evidence_hash(hash, &f[i].offset, sizeof f[i].offset);
		used++;
	}
	return hash;
}

static struct heap_site *site_of(struct heap *h, const struct allocation *a, bool make)
{
	const uint64_t key = (uint64_t)a->stack << 1 | a->mapped;
	struct heap_site *s;

	HASH_FIND(hh, h->sites, &key, sizeof key, s);
	if (s || !make)
		return s;
	if (HASH_COUNT(h->sites) >= LIMIT_STACKS || !(s = calloc(1, sizeof *s))) {
		h->env.counters->limit[LIMIT_REACHED_HEAP]++;
		return NULL;
	}
	s->key = key;
	HASH_ADD(hh, h->sites, key, sizeof s->key, s);
	return s;
}

static struct heap_group *group_of(struct heap *h, const struct allocation *a, bool make)
{
	const struct heap_group_key key = {.path = heap_path(h->env.stacks, a->stack), .pid = a->process->pid, .mapped = a->mapped};
	struct heap_group *g;

	h->placed |= a->stack != 0;
	if (h->placed && a->stack == 0)
		return NULL;
	HASH_FIND(hh, h->groups, &key, sizeof key, g);
	if (g || !make)
		return g;
	if (HASH_COUNT(h->groups) >= LIMIT_HEAP_SITES || !(g = calloc(1, sizeof *g))) {
		h->env.counters->limit[LIMIT_REACHED_HEAP]++;
		return NULL;
	}
	g->key = key;
	g->stack = a->stack;
	g->first_ns = a->t_ns;
	HASH_ADD(hh, h->groups, key, sizeof g->key, g);
	return g;
}

static void amount_add(struct heap_amount *m, const struct allocation *a)
{
	m->alloc_bytes += a->bytes;
	m->alloc_objects += a->objects;
	m->samples++;
	if (a->no_free)
		return;
	m->live_bytes += a->bytes;
	m->live_objects += a->objects;
}

static void amount_remove(struct heap_amount *m, const struct allocation *a, double bytes)
{
	const bool whole = bytes >= a->bytes;

	m->live_bytes = m->live_bytes > bytes ? m->live_bytes - bytes : 0;
	if (whole)
		m->live_objects = m->live_objects > a->objects ? m->live_objects - a->objects : 0;
}

static void note_held(struct heap *h, struct heap_group *g, uint64_t t_ns)
{
	const struct heap_process *const p = heap_process_of(h, g->key.pid);

	growth_add_work(&g->growth, t_ns, g->amount.live_bytes, p ? (double)p->requests : 0);
}

static void on_alloc(void *ctx, const struct allocation *a)
{
	struct heap *h = ctx;
	struct heap_site *s = site_of(h, a, true);
	struct heap_group *g = group_of(h, a, true);

	h->samples++;
	if (!a->mapped)
		h->estimated += a->bytes;
	(void)heap_process_of(h, a->process->pid);
	if (s)
		amount_add(&s->amount, a);
	if (!g)
		return;
	amount_add(&g->amount, a);
	if (a->request)
		heap_request_alloc(h, g, a->request);
	g->last_ns = a->t_ns;
	g->alive += !a->no_free;
	heap_ages_add(&g->ages, a->t_ns);
	note_held(h, g, a->t_ns);
}

/* A process that was there for most of the session leaves a picture of what it held; a short-lived one does not. */
static bool stays_in_picture(struct heap *h, const struct allocation *a)
{
	const struct heap_process *p = heap_process_of(h, a->process->pid);

	return p && elapsed_ns(p->start_ns, h->now_ns) >= elapsed_ns(h->start_ns, h->now_ns) / 2;
}

static void on_free(void *ctx, const struct allocation *a, double bytes, const struct event *e)
{
	struct heap *h = ctx;
	struct heap_site *s = site_of(h, a, false);
	struct heap_group *g = e ? group_of(h, a, false) : NULL;

	if (s && (e || !stays_in_picture(h, a)))
		amount_remove(&s->amount, a, bytes);
	if (!g)
		return;
	amount_remove(&g->amount, a, bytes);
	note_held(h, g, e->t1);
	if (bytes < a->bytes)
		return;
	g->alive -= g->alive > 0;
	heap_ages_remove(&g->ages, a->t_ns);
}

static void on_asked(void *ctx, struct process *p, uint64_t bytes)
{
	struct heap *h = ctx;

	(void)p;
	h->asked += bytes;
}

static void on_state(struct heap *h, const struct event *e)
{
	static const char *const why[] = {
		[WIRE_ALLOC_STATIC] = "the program has its allocator linked into itself, where its calls cannot be seen",
		[WIRE_ALLOC_NOT_FOUND] = "the program has no allocator of its C library's kind",
	};

	h->seen = true;
	h->mean = e->a0;
	if (e->ret == WIRE_ALLOC_WATCHED) {
		h->watched = true;
		snprintf(h->allocator, sizeof h->allocator, "%.*s", e->data ? (int)e->data_len : 0,
			 e->data ? (const char *)e->data : "");
	} else if (e->ret > 0 && e->ret < (int64_t)(sizeof why / sizeof *why)) {
		snprintf(h->why_not, sizeof h->why_not, "%s", why[e->ret]);
	}
}

static void on_event(void *ctx, const struct event *e)
{
	struct heap *h = ctx;

	if (h->start_ns == 0)
		h->start_ns = e->t1;
	if (e->t1 > h->now_ns)
		h->now_ns = e->t1;
	if (e->id == WIRE_ALLOC_STATE)
		on_state(h, e);
	else if (e->id == WIRE_LOSS && e->a0 == WIRE_LOSS_HEAP_FREE)
		h->frees_lost += e->a1;
	else if (e->id == WIRE_LOSS && e->a0 == WIRE_LOSS_HEAP_FULL)
		h->unwatched += e->a1;
}

static void on_request_end(void *ctx, struct request *r)
{
	struct heap *h = ctx;
	struct heap_process *p = r->server && h->watched ? heap_process_of(h, r->pid) : NULL;

	if (!p)
		return;
	p->requests++;
	heap_request_end(h, r);
}

/* A process that began: its number may have been somebody else's. */
static void on_process_start(void *ctx, struct process *p)
{
	struct heap *h = ctx;

	if (h->seen)
		(void)heap_process_of(h, p->pid);
}

static void on_process_exit(void *ctx, struct process *p)
{
	struct heap *h = ctx;
	const double seconds = h->env.options[HEAP_MIN_SECONDS];
	struct heap_group *g, *next;

	HASH_ITER (hh, h->groups, g, next) {
		if (g->key.pid != p->pid)
			continue;
		heap_judge_growth(h, g, seconds);
		heap_judge_end(h, g, p);
		group_free(h, g);
	}
}

static void on_tick(void *ctx, uint64_t now_ns)
{
	struct heap *h = ctx;
	struct heap_process *p;

	for (struct heap_group *g = h->groups; g; g = g->hh.next)
		note_held(h, g, now_ns);
	for (p = h->processes; p; p = p->hh.next) {
		if (elapsed_ns(p->judged_ns, now_ns) < JUDGE_NS)
			continue;
		p->judged_ns = now_ns;
		for (struct heap_group *g = h->groups; g; g = g->hh.next) {
			if (g->key.pid == p->pid)
				heap_judge_growth(h, g, h->env.options[HEAP_LIVE_SECONDS]);
		}
	}
}

static void heap_finish(void *state, uint64_t now_ns)
{
	struct heap *h = state;

	(void)now_ns;
	for (struct heap_group *g = h->groups; g; g = g->hh.next)
		heap_judge_growth(h, g, h->env.options[HEAP_MIN_SECONDS]);
	heap_requests_finish(h);
}

const struct detector heap_detector = {
	.name = "heap",
	.doc = "memory: what only grows, what is never freed, what requests cost; needs --alloc",
	.rules = heap_rules,
	.options = heap_options,
	.section = "heap",
	.create = heap_create,
	.destroy = heap_destroy,
	.observer = {.event = on_event,
		     .process_start = on_process_start,
		     .process_exit = on_process_exit,
		     .request_end = on_request_end,
		     .heap_alloc = on_alloc,
		     .heap_free = on_free,
		     .heap_asked = on_asked,
		     .tick = on_tick},
	.finish = heap_finish,
	.report = heap_report,
};
