/*
 * Personal data and secrets in logs: one finding per entity, sink and call site, made of the scanner's matches. It never sees a value:
 * a match brings a masked sample and a keyed fingerprint (core/event.h).
 *
 * Owns its groups and the counts per sink. The session's thread.
 */
#include "core/hash.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/detectors.h"
#include "detectors/distinct.h"
#include "detectors/evidence.h"
#include "scan/scan.h"

#define DATA_ENTITIES_MAX 512U
#define DATA_LEVELS_MAX 8U

/* Read shares: bytes that entered a sink, and how many of them the scanner read. */
struct sink {
	char name[LIMIT_PEER_TEXT];
	uint64_t total, scanned, lines;
	UT_hash_handle hh;
};

struct group_key {
	uint64_t site;
	const struct entity *entity;
	uint32_t sink; /* hash of its name */
	uint32_t pad;
};

struct group {
	struct group_key key;
	char sink[LIMIT_PEER_TEXT];
	char sample[64];
	char levels[DATA_LEVELS_MAX][16]; /* log levels seen, in order of appearance */
	uint32_t levels_n;
	uint32_t stack;
	uint64_t count, told; /* matches seen, and of these already emitted */
	uint64_t first_ns, last_ns, first_untold_ns, line;
	struct distinct distinct;
	UT_hash_handle hh;
};

struct data {
	struct detector_env env;
	struct sink *sinks;
	struct group *groups;
	uint64_t lines;
};

static const struct rule data_rules[] = {
	{.id = "data.log.<entity>",
	 .severity = SEVERITY_ERROR,
	 .title = "personal data or a secret in a log",
	 .doc = "A value that the scanner recognised was written to a log. There is one rule for each entity that the scanner "
		"knows "
		"(`gapscope list` names them); its severity is the entity's.",
	 .remedy = "Do not log the value: drop the field, mask it, or log an opaque reference to it."},
	{0},
};

/* A rule per entity of the scanner's table. Findings point at them, so they live as long as the program; every session writes the
 * same content. */
static struct rule entity_rules[DATA_ENTITIES_MAX];

static const struct rule *rule_of(const struct entity *e)
{
	size_t i = (size_t)(e - entity_table);

	if (i >= DATA_ENTITIES_MAX)
		return &data_rules[0];
	entity_rules[i] = (struct rule){
		.id = e->rule, .severity = (enum severity)e->severity, .title = e->title, .doc = e->doc, .remedy = e->remedy};
	return &entity_rules[i];
}

static void *data_create(const struct detector_env *env)
{
	struct data *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

static void data_destroy(void *state)
{
	struct data *d = state;
	struct sink *s, *s_next;
	struct group *g, *g_next;

	if (!d)
		return;
	HASH_ITER (hh, d->sinks, s, s_next) {
		HASH_DEL(d->sinks, s);
		free(s);
	}
	HASH_ITER (hh, d->groups, g, g_next) {
		HASH_DEL(d->groups, g);
		free(g);
	}
	free(d);
}

static void data_log(void *ctx, const struct log_write *l)
{
	struct data *d = ctx;
	struct sink *s;
	char name[LIMIT_PEER_TEXT] = {0};

	d->lines += l->lines;
	snprintf(name, sizeof name, "%s", l->sink);
	HASH_FIND_STR(d->sinks, name, s);
	if (!s) {
		if (HASH_COUNT(d->sinks) >= LIMIT_SINKS || !(s = calloc(1, sizeof *s))) {
			d->env.counters->limit[LIMIT_REACHED_SINKS]++;
			return;
		}
		memcpy(s->name, name, sizeof name);
		HASH_ADD_STR(d->sinks, name, s);
	}
	s->total += l->total;
	s->scanned += l->scanned;
	s->lines += l->lines;
}

static void note_level(struct group *g, const char *level)
{
	if (!level[0] || g->levels_n == DATA_LEVELS_MAX)
		return;
	for (uint32_t i = 0; i < g->levels_n; i++) {
		if (!strncmp(g->levels[i], level, sizeof g->levels[i]))
			return;
	}
	snprintf(g->levels[g->levels_n++], sizeof g->levels[0], "%.15s", level);
}

static void data_match(void *ctx, const struct log_match *m)
{
	struct data *d = ctx;
	char name[sizeof m->match->entity + 1] = {0};
	struct group_key key = {0};
	struct group *g;

	memcpy(name, m->match->entity, sizeof m->match->entity);
	key.entity = entity_find(name);
	if (!key.entity)
		return;
	key.site = evidence_site_hash(d->env.stacks, m->event->stack);
	key.sink = (uint32_t)evidence_hash(EVIDENCE_HASH_SEED, m->sink, strlen(m->sink));
	HASH_FIND(hh, d->groups, &key, sizeof key, g);
	if (!g) {
		if (HASH_COUNT(d->groups) >= LIMIT_FINDINGS || !(g = calloc(1, sizeof *g))) {
			d->env.counters->limit[LIMIT_REACHED_FINDINGS]++;
			return;
		}
		g->key = key;
		g->stack = m->event->stack;
		g->first_ns = m->event->t1;
		g->line = m->match->line;
		snprintf(g->sink, sizeof g->sink, "%s", m->sink);
		snprintf(g->sample, sizeof g->sample, "%.63s", m->match->sample);
		HASH_ADD(hh, d->groups, key, sizeof key, g);
	}
	if (g->count == g->told)
		g->first_untold_ns = m->event->t1;
	g->count++;
	g->last_ns = m->event->t1;
	note_level(g, m->match->level);
	distinct_add(&g->distinct, m->fingerprint);
}

/* Share of the sink's bytes that the scanner read; 1 where nothing is known of it (its matches prove that it was read). */
static double share_read(struct data *d, const struct group *g)
{
	struct sink *s;

	HASH_FIND_STR(d->sinks, g->sink, s);
	return s && s->total ? (double)s->scanned / (double)s->total : 1.0;
}

static json_t *describe(struct data *d, const struct group *g)
{
	json_t *levels = json_array();

	for (uint32_t i = 0; i < g->levels_n; i++)
		json_array_append_new(levels, json_string(g->levels[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:o, s:o, s:I}", "entity", g->key.entity->name, "sink", g->sink, "count",
			 (json_int_t)g->count, "distinct", (json_int_t)distinct_count(&g->distinct), "distinct_estimated",
			 (int)g->distinct.estimated, "sample", g->sample, "share_read", evidence_number(share_read(d, g)), "levels",
			 levels, "first_line", (json_int_t)g->line);
}

static void tell(struct data *d, struct group *g)
{
	char message[512];
	const struct entity *e = g->key.entity;

	if (g->count == g->told)
		return;
	snprintf(message, sizeof message, "%s in %s: %" PRIu64 " times, %s%" PRIu64 " distinct, such as %s", e->title, g->sink,
		 g->count, g->distinct.estimated ? "about " : "", distinct_count(&g->distinct), g->sample);
	const struct rule *rule = rule_of(e);
	const struct finding f = {
		.rule = rule,
		.severity = rule->severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = "",
		.stack = g->stack,
		.sink = g->sink,
		.key = g->sink,
		.count = g->count - g->told,
		.first_seen_ns = g->first_untold_ns,
		.last_seen_ns = g->last_ns,
		.evidence = describe(d, g),
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
	g->told = g->count;
}

static void tell_all(struct data *d)
{
	for (struct group *g = d->groups; g; g = g->hh.next)
		tell(d, g);
}

static void data_tick(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	tell_all(ctx);
}

static void data_finish(void *state, uint64_t now_ns)
{
	(void)now_ns;
	tell_all(state);
}

static int by_entity_sink_site(const struct group *a, const struct group *b)
{
	int c = strcmp(a->key.entity->name, b->key.entity->name);

	if (!c)
		c = strcmp(a->sink, b->sink);
	if (!c)
		c = a->key.site < b->key.site ? -1 : a->key.site > b->key.site;
	return c;
}

static json_t *data_report(void *state, json_t *not_exercised)
{
	struct data *d = state;
	json_t *section = json_array();
	char site[SITE_TEXT_SIZE];

	HASH_SORT(d->groups, by_entity_sink_site);
	for (struct group *g = d->groups; g; g = g->hh.next) {
		json_t *row = describe(d, g);
		json_object_set_new(row, "rule", json_string(g->key.entity->rule));
		json_object_set_new(row, "call_site", json_string(evidence_site(d->env.stacks, g->stack, site, sizeof site)));
		json_object_set_new(row, "first_seen_ns", json_integer((json_int_t)g->first_ns));
		json_object_set_new(row, "last_seen_ns", json_integer((json_int_t)g->last_ns));
		json_array_append_new(section, row);
	}
	if (!d->lines && !d->groups)
		json_array_append_new(not_exercised, json_string("data: no log line was seen"));
	for (struct sink *s = d->sinks; s; s = s->hh.next) {
		if (s->scanned < s->total) {
			char text[LIMIT_PEER_TEXT + 64];
			snprintf(text, sizeof text, "data: of %s only %.1f %% was read", s->name,
				 100.0 * (double)s->scanned / (double)s->total);
			json_array_append_new(not_exercised, json_string(text));
		}
	}
	return section;
}

const struct detector data_detector = {
	.name = "data",
	.doc = "personal data and secrets in logs, with a masked sample and the number of distinct values",
	.rules = data_rules,
	.section = "data",
	.create = data_create,
	.destroy = data_destroy,
	.observer = {.log = data_log, .match = data_match, .tick = data_tick},
	.finish = data_finish,
	.report = data_report,
};
