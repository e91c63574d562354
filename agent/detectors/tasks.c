/*
 * Threads and processes that only grow: counts of /proc by process, and of the service's processes, judged by growth.h.
 *
 * What looks like it and is none: a pool on its way to its size. So it must grow by more than pools usually have, and steadily to the end.
 * Owner: the session; its thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/growth.h"

#define JUDGE_EVERY_NS (5 * NS_PER_S)

enum { O_THREADS, O_PROCESSES, O_SECONDS, OPTIONS };
static const struct option options[] = {
	[O_THREADS] = {.name = "threads", .value = 48, .min = 4, .max = 1e6, .unit = "threads", .doc = "more of one process"},
	[O_PROCESSES] = {.name = "processes", .value = 24, .min = 4, .max = 1e6, .unit = "processes", .doc = "more of the service"},
	[O_SECONDS] = {.name = "seconds",
		       .value = 20,
		       .min = 5,
		       .max = 86400,
		       .unit = "s",
		       .doc = "that they must grow for, after the start"},
	[OPTIONS] = {0},
};

enum { RULE_THREADS, RULE_PROCESSES };
static const struct rule rules[] = {
	[RULE_THREADS] =
		{
			.id = "resource.thread.growth",
			.severity = SEVERITY_WARNING,
			.title = "threads only grow",
			.doc = "Given where the lowest number of threads of a process rose steadily over {20 s} or more (three "
			       "times as long while it goes on), by {48} "
			       "or more, in every quarter "
			       "of that time and to the end; the first quarter of the session does not count.",
			.remedy = "Join threads or let them end, and start them from a pool with a size; a thread that waits "
				  "without a deadline never "
				  "ends.",
		},
	[RULE_PROCESSES] =
		{
			.id = "resource.process.growth",
			.severity = SEVERITY_WARNING,
			.title = "processes only grow",
			.doc = "The same of the service's processes, or of children of one process that ended and were not waited "
			       "for, by {24} or more.",
			.remedy = "Wait for children and end those that are done with; give a pool of workers a size.",
		},
	{0},
};

/* Who makes most of them: the one place that can have more than half survives when places are crossed out against each other. */
struct maker {
	uint64_t site, lead;
	uint32_t stack;
};

struct threads {
	uint32_t pid;
	struct growth growth, zombies;
	uint64_t first_ns, told, zombies_told;
	uint64_t zombies_n; /* since the sample before */
	struct maker maker;
	UT_hash_handle hh;
};

struct tasks {
	struct detector_env env;
	struct threads *threads;
	struct growth processes;
	uint64_t processes_n, told, first_ns, judged_ns;
	struct maker maker;
};

static void *tasks_create(const struct detector_env *env)
{
	struct tasks *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static struct threads *threads_of(struct tasks *d, uint32_t pid)
{
	struct threads *t;

	HASH_FIND(hh, d->threads, &pid, sizeof pid, t);
	if (t || HASH_COUNT(d->threads) >= LIMIT_PROCESSES || !(t = calloc(1, sizeof *t)))
		return t;
	t->pid = pid;
	HASH_ADD(hh, d->threads, pid, sizeof t->pid, t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	return t;
}

static void made(const struct tasks *d, struct maker *m, uint32_t stack)
{
	const uint64_t site = evidence_site_hash(d->env.stacks, stack);

	if (m->lead == 0)
		*m = (struct maker){.site = site, .stack = stack};
	if (m->site == site)
		m->lead++;
	else
		m->lead--;
}

enum what { THREADS, PROCESSES, ZOMBIES };
static const struct {
	const char *name, *key, *end;
	int rule;
} whats[] = {
	[THREADS] = {"threads", "", "and none ends", RULE_THREADS},
	[PROCESSES] = {"processes", "", "and none ends", RULE_PROCESSES},
	[ZOMBIES] = {"zombies", "zombies", "which nobody waited for", RULE_PROCESSES},
};

static void emit(const struct tasks *d, enum what what, uint32_t stack, const struct growth_trend *g, uint64_t first_ns,
		 uint64_t now_ns, uint64_t more)
{
	const struct rule *rule = &rules[whats[what].rule];
	char message[512], site[SITE_TEXT_SIZE];

	snprintf(message, sizeof message, "%.0f %s, %.0f more than %.0f s before: %.3g more a minute, %s%s%s", g->to,
		 whats[what].name, g->to - g->from, g->seconds, g->per_s * 60, whats[what].end, stack ? "; made by " : "",
		 stack ? evidence_site(d->env.stacks, stack, site, sizeof site) : "");
	const struct finding f = {
		.rule = rule,
		.severity = rule->severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = whats[what].name,
		.stack = stack,
		.key = whats[what].key,
		.count = more,
		.first_seen_ns = first_ns,
		.last_seen_ns = now_ns,
		.evidence = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "from", evidence_number(g->from), "to",
				      evidence_number(g->to), "a_minute", evidence_number(g->per_s * 60), "a_minute_at_least",
				      evidence_number(g->low_per_s * 60), "a_minute_at_most", evidence_number(g->high_per_s * 60),
				      "over_s", evidence_number(g->seconds), "samples", (int)g->marks),
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
}

static void judge(struct tasks *d, uint64_t now_ns, bool under_way)
{
	const double seconds = d->env.options[O_SECONDS] * (under_way ? GROWTH_UNDER_WAY : 1);
	struct growth_trend g;

	for (struct threads *t = d->threads; t; t = t->hh.next) {
		if (growth_steady(&t->growth, seconds, d->env.options[O_THREADS], &g) && (uint64_t)g.to > t->told) {
			emit(d, THREADS, t->maker.stack, &g, t->first_ns, now_ns, (uint64_t)g.to - t->told);
			t->told = (uint64_t)g.to;
		}
		if (growth_steady(&t->zombies, seconds, d->env.options[O_PROCESSES], &g) && (uint64_t)g.to > t->zombies_told) {
			emit(d, ZOMBIES, d->maker.stack, &g, t->first_ns, now_ns, (uint64_t)g.to - t->zombies_told);
			t->zombies_told = (uint64_t)g.to;
		}
	}
	if (growth_steady(&d->processes, seconds, d->env.options[O_PROCESSES], &g) && (uint64_t)g.to > d->told) {
		emit(d, PROCESSES, d->maker.stack, &g, d->first_ns, now_ns, (uint64_t)g.to - d->told);
		d->told = (uint64_t)g.to;
	}
}

static void tasks_event(void *ctx, const struct event *e)
{
	struct tasks *d = ctx;
	struct sample_process p;
	struct threads *t;

	switch (e->id) {
	case WIRE_FORK:
	case WIRE_SPAWN:
		if (e->ret > 0)
			made(d, &d->maker, e->stack);
		break;
	case WIRE_THREAD_MADE:
		if (e->ret == 0 && (t = threads_of(d, e->pid)))
			made(d, &t->maker, e->stack);
		break;
	case WIRE_SAMPLE_ZOMBIES:
		if ((t = threads_of(d, e->pid)))
			t->zombies_n = e->a0;
		break;
	case WIRE_SAMPLE_PROCESS:
		if (e->data_len < sizeof p || !(t = threads_of(d, e->pid)))
			return;
		memcpy(&p, e->data, sizeof p);
		t->first_ns = t->first_ns ? t->first_ns : e->t1;
		growth_add(&t->growth, e->t1, (double)p.threads);
		/* Of the round before: they are told behind the process, and only while there are any. */
		growth_add(&t->zombies, e->t1, (double)t->zombies_n);
		t->zombies_n = 0;
		break;
	default:
		break;
	}
}

static void tasks_process_start(void *ctx, struct process *p)
{
	struct tasks *d = ctx;

	(void)p;
	d->processes_n++;
}

static void tasks_process_exit(void *ctx, struct process *p)
{
	struct tasks *d = ctx;
	struct threads *t;

	d->processes_n--;
	HASH_FIND(hh, d->threads, &p->pid, sizeof p->pid, t);
	if (!t)
		return;
	judge(d, t->first_ns > p->exit_ns ? t->first_ns : p->exit_ns, false);
	HASH_DEL(d->threads, t);
	free(t);
}

static void tasks_tick(void *ctx, uint64_t now_ns)
{
	struct tasks *d = ctx;

	d->first_ns = d->first_ns ? d->first_ns : now_ns;
	growth_add(&d->processes, now_ns, (double)d->processes_n);
	if (now_ns < d->judged_ns + JUDGE_EVERY_NS)
		return;
	d->judged_ns = now_ns;
	judge(d, now_ns, true);
}

static void tasks_finish(void *state, uint64_t now_ns)
{
	judge(state, now_ns, false);
}

static void tasks_destroy(void *state)
{
	struct tasks *d = state;
	struct threads *t, *next;

	HASH_ITER (hh, d->threads, t, next) {
		HASH_DEL(d->threads, t);
		free(t);
	}
	free(d);
}

const struct detector tasks_detector = {
	.name = "tasks",
	.doc = "threads and processes that only grow",
	.rules = rules,
	.options = options,
	.create = tasks_create,
	.destroy = tasks_destroy,
	.observer = {.rare_event = tasks_event,
		     .process_start = tasks_process_start,
		     .process_exit = tasks_process_exit,
		     .tick = tasks_tick},
	.finish = tasks_finish,
};
