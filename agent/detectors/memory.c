/*
 * Memory near the limit of the control group, and when it will be reached. Samples leave out what is only cached, so a full page cache is no
 * finding. Owner: the session; its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/growth.h"

#define MIB (1024.0 * 1024.0)
#define NEAR_SAMPLES 5U  /* in a row */
#define GROWN_SHARE 0.02 /* of the limit: a smaller growth is not told */
#define GROUPS_MAX 64U
#define JUDGE_EVERY_NS (5 * NS_PER_S)

enum { O_NEAR, O_SOON, O_SECONDS, OPTIONS };
static const struct option options[] = {
	[O_NEAR] =
		{.name = "near", .value = 90, .min = 10, .max = 100, .unit = "%", .doc = "of the limit, for five samples in a row"},
	[O_SOON] =
		{.name = "soon", .value = 3600, .min = 1, .max = 1e7, .unit = "s", .doc = "until the limit, at the present growth"},
	[O_SECONDS] = {.name = "seconds",
		       .value = 30,
		       .min = 5,
		       .max = 86400,
		       .unit = "s",
		       .doc = "that it must grow for, after the start"},
	[OPTIONS] = {0},
};

static const struct rule rules[] = {
	{
		.id = "resource.memory.limit",
		.severity = SEVERITY_WARNING,
		.title = "memory is near the limit, or on its way to it",
		.doc = "Given where the memory of the service's control group, page cache left out, was at {90 %} of its limit for "
		       "five samples, or grew "
		       "steadily for {30 s} or more so that the limit is less than {an hour} away; an error where the kernel "
		       "killed for want of "
		       "memory.",
		.remedy = "Find what holds the memory (a cache without a size, a leak, a request's whole body), or raise the limit "
			  "if all of it is needed.",
	},
	{0},
};

/* One control group. */
struct group {
	uint64_t id;
	struct growth growth;
	struct sample_memory latest, first;
	unsigned int near;
	bool told_near, told_soon;
	uint64_t kills_told, first_ns, last_ns;
};

struct memory {
	struct detector_env env;
	struct group groups[GROUPS_MAX];
	size_t groups_n;
	uint64_t judged_ns;
};

static void *memory_create(const struct detector_env *env)
{
	struct memory *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static void memory_destroy(void *state)
{
	free(state);
}

static struct group *group_of(struct memory *d, const struct event *e, const struct sample_memory *m)
{
	for (size_t i = 0; i < d->groups_n; i++) {
		if (d->groups[i].id == e->a0)
			return &d->groups[i];
	}
	if (d->groups_n == GROUPS_MAX)
		return NULL;
	struct group *g = &d->groups[d->groups_n++];
	*g = (struct group){.id = e->a0, .first = *m, .first_ns = e->t1, .kills_told = m->kills};
	return g;
}

static void tell(const struct memory *d, const struct group *g, enum severity severity, const char *key, const char *message,
		 const struct growth_trend *t, uint64_t count)
{
	const struct sample_memory *m = &g->latest;
	json_t *evidence =
		json_pack("{s:I, s:I, s:o}", "used_bytes", (json_int_t)m->used_bytes, "limit_bytes", (json_int_t)m->limit_bytes,
			  "used_share", evidence_number((double)m->used_bytes / (double)m->limit_bytes));

	if (m->stall_us != SAMPLE_UNKNOWN && g->first.stall_us != SAMPLE_UNKNOWN)
		json_object_set_new(evidence, "stalled_s", evidence_number((double)(m->stall_us - g->first.stall_us) / 1e6));
	if (t) {
		json_object_set_new(evidence, "mib_a_minute", evidence_number(t->per_s * 60 / MIB));
		json_object_set_new(evidence, "mib_a_minute_at_least", evidence_number(t->low_per_s * 60 / MIB));
		json_object_set_new(evidence, "mib_a_minute_at_most", evidence_number(t->high_per_s * 60 / MIB));
		json_object_set_new(evidence, "limit_reached_in_s",
				    evidence_number((double)(m->limit_bytes - m->used_bytes) / t->per_s));
	}
	const struct finding f = {
		.rule = &rules[0],
		.severity = severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = key,
		.key = key,
		.path = strcmp(key, "near") == 0 ? NULL : key, /* there is no call site that could tell them apart */
		.count = count,
		.first_seen_ns = g->first_ns,
		.last_seen_ns = g->last_ns,
		.evidence = evidence,
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
}

static void judge_level(const struct memory *d, struct group *g)
{
	const struct sample_memory *m = &g->latest;
	const double share = 100.0 * (double)m->used_bytes / (double)m->limit_bytes;
	char message[256];

	g->near = share >= d->env.options[O_NEAR] ? g->near + 1 : 0;
	if (g->near >= NEAR_SAMPLES && !g->told_near) {
		g->told_near = true;
		snprintf(message, sizeof message, "%.0f of %.0f MiB are in use: %.0f %% of the control group's limit",
			 (double)m->used_bytes / MIB, (double)m->limit_bytes / MIB, share);
		tell(d, g, SEVERITY_WARNING, "near", message, NULL, 1);
	}
	if (m->kills != SAMPLE_UNKNOWN && g->kills_told != SAMPLE_UNKNOWN && m->kills > g->kills_told) {
		snprintf(message, sizeof message, "the kernel killed %" PRIu64 " times for want of memory: the limit is %.0f MiB",
			 m->kills - g->kills_told, (double)m->limit_bytes / MIB);
		tell(d, g, SEVERITY_ERROR, "killed", message, NULL, m->kills - g->kills_told);
		g->kills_told = m->kills;
	}
}

static void judge_growth(const struct memory *d, struct group *g, bool under_way)
{
	const double seconds = d->env.options[O_SECONDS] * (under_way ? GROWTH_UNDER_WAY : 1);
	const struct sample_memory *m = &g->latest;
	struct growth_trend t;
	char message[256];

	if (g->told_soon || m->used_bytes >= m->limit_bytes ||
	    !growth_steady(&g->growth, seconds, GROWN_SHARE * (double)m->limit_bytes, &t))
		return;
	const double left = (double)(m->limit_bytes - m->used_bytes) / t.per_s;
	if (left > d->env.options[O_SOON])
		return;
	g->told_soon = true;
	snprintf(message, sizeof message, "memory grows by %.1f MiB a minute: the limit of %.0f MiB is reached in %.0f s",
		 t.per_s * 60 / MIB, (double)m->limit_bytes / MIB, left);
	tell(d, g, SEVERITY_WARNING, "growing", message, &t, 1);
}

static void memory_event(void *ctx, const struct event *e)
{
	struct memory *d = ctx;
	struct sample_memory m;
	struct group *g;

	if (e->id != WIRE_SAMPLE_MEMORY || e->data_len < sizeof m)
		return;
	memcpy(&m, e->data, sizeof m);
	g = m.limit_bytes > 0 && m.limit_bytes != SAMPLE_UNKNOWN ? group_of(d, e, &m) : NULL;
	if (!g)
		return;
	g->latest = m;
	g->last_ns = e->t1;
	growth_add(&g->growth, e->t1, (double)m.used_bytes);
	judge_level(d, g);
}

static void judge(struct memory *d, bool under_way)
{
	for (size_t i = 0; i < d->groups_n; i++)
		judge_growth(d, &d->groups[i], under_way);
}

static void memory_finish(void *state, uint64_t now_ns)
{
	(void)now_ns;
	judge(state, false);
}

static void memory_tick(void *ctx, uint64_t now_ns)
{
	struct memory *d = ctx;

	if (now_ns < d->judged_ns + JUDGE_EVERY_NS)
		return;
	d->judged_ns = now_ns;
	judge(d, true);
}

const struct detector memory_detector = {
	.name = "memory",
	.doc = "memory near the control group's limit",
	.rules = rules,
	.options = options,
	.create = memory_create,
	.destroy = memory_destroy,
	.observer = {.rare_event = memory_event, .tick = memory_tick},
	.finish = memory_finish,
};
