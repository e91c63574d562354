/*
 * Groups of matches and the findings that they are: one per entity, sink or peer, and call site. Owns d->groups; the session's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/data.h"
#include "detectors/evidence.h"

#define ENTITIES_MAX 512U
#define LOG_PREFIX "data.log."

/* A rule per entity of the scanner's table, for each place. Findings point at them, so they live as long as the program; every session
 * writes the same content. */
static struct rule log_rules[ENTITIES_MAX], clear_rules[ENTITIES_MAX];
static char clear_ids[ENTITIES_MAX][64];

static const char clear_doc[] =
	"A value that the scanner recognised went over a TCP connection in the clear: whoever is on the way can read it. Sent over "
	"the loopback interface it is told for information, since a proxy beside the service may add TLS; received there, not at "
	"all.";
static const char clear_remedy[] =
	"Speak TLS to this peer; where a proxy on the same machine does, let it be the only one that can connect.";

static const struct rule *rule_of(const struct data_group *g)
{
	const struct entity *e = g->key.entity;
	const size_t i = (size_t)(e - entity_table), cut = sizeof LOG_PREFIX - 1;

	if (i >= ENTITIES_MAX)
		return &data_rules[g->key.where == MATCH_LOG ? 0 : 1];
	if (g->key.where == MATCH_LOG) {
		log_rules[i] = (struct rule){.id = e->rule,
					     .severity = (enum severity)e->severity,
					     .title = e->title,
					     .doc = e->doc,
					     .remedy = e->remedy};
		return &log_rules[i];
	}
	snprintf(clear_ids[i], sizeof clear_ids[i], "data.plaintext.%s", strlen(e->rule) > cut ? e->rule + cut : e->rule);
	clear_rules[i] = (struct rule){.id = clear_ids[i],
				       .severity = (enum severity)e->severity,
				       .title = e->title,
				       .doc = clear_doc,
				       .remedy = clear_remedy};
	return &clear_rules[i];
}

const char *data_group_rule(const struct data_group *g)
{
	return rule_of(g)->id;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
	uint32_t four = 0;

	if (a->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	if (a->ss_family == AF_INET6)
		memcpy(&four, six->sin6_addr.s6_addr + 12, sizeof four);
	else if (a->ss_family == AF_INET)
		memcpy(&four, &((const struct sockaddr_in *)a)->sin_addr, sizeof four);
	return ntohl(four) >> 24 == IN_LOOPBACKNET;
}

struct data_group *data_group_of(struct data *d, const struct log_match *m, const struct entity *e)
{
	const bool out = m->where != MATCH_LOG && m->conn && m->conn->role == CONN_CLIENT;
	const char *peer = out ? m->conn->peer : "";
	struct data_group_key key;
	struct data_group *g;

	memset(&key, 0, sizeof key);
	key.entity = e;
	key.where = m->where;
	key.site = evidence_site_hash(d->env.stacks, m->event->stack);
	key.sink = (uint32_t)evidence_hash(evidence_hash(EVIDENCE_HASH_SEED, m->sink, strlen(m->sink)), peer, strlen(peer));
	HASH_FIND(hh, d->groups, &key, sizeof key, g);
	if (!g) {
		if (HASH_COUNT(d->groups) >= LIMIT_FINDINGS || !(g = calloc(1, sizeof *g))) {
			d->env.counters->limit[LIMIT_REACHED_FINDINGS]++;
			return NULL;
		}
		g->key = key;
		g->stack = m->event->stack;
		g->loopback = m->where != MATCH_LOG;
		snprintf(g->sink, sizeof g->sink, "%s", m->sink);
		snprintf(g->peer, sizeof g->peer, "%s", peer);
		HASH_ADD(hh, d->groups, key, sizeof key, g);
	}
	g->loopback = g->loopback && m->conn && is_loopback(&m->conn->peer_addr);
	return g;
}

static void note_level(struct data_tally *t, const char *level)
{
	if (!level[0] || t->levels_n == DATA_LEVELS_MAX)
		return;
	for (uint32_t i = 0; i < t->levels_n; i++) {
		if (!strncmp(t->levels[i], level, sizeof t->levels[i]))
			return;
	}
	snprintf(t->levels[t->levels_n++], sizeof t->levels[0], "%.15s", level);
}

void data_tally_add(struct data *d, struct data_tally *t, const struct log_match *m)
{
	const uint64_t request = model_serving(d->env.model, m->event->pid, m->event->tid);

	if (!t->count++) {
		t->first_ns = m->event->t1;
		t->line = m->match->line;
		snprintf(t->sample, sizeof t->sample, "%.63s", m->match->sample);
	}
	t->last_ns = m->event->t1;
	if (request)
		t->request_id = request;
	note_level(t, m->match->level);
	distinct_add(&t->distinct, m->fingerprint);
}

void data_group_add(struct data *d, struct data_group *g, const struct log_match *m)
{
	if (g->tally.count == g->told)
		g->first_untold_ns = m->event->t1;
	data_tally_add(d, &g->tally, m);
}

void data_group_take(struct data_group *g, const struct data_tally *t)
{
	struct data_tally *to = &g->tally;

	if (to->count == g->told || t->first_ns < g->first_untold_ns)
		g->first_untold_ns = t->first_ns;
	if (!to->count || t->first_ns < to->first_ns) {
		to->first_ns = t->first_ns;
		to->line = t->line;
		memcpy(to->sample, t->sample, sizeof to->sample);
	}
	to->count += t->count;
	if (t->last_ns > to->last_ns)
		to->last_ns = t->last_ns;
	if (t->request_id)
		to->request_id = t->request_id;
	for (uint32_t i = 0; i < t->levels_n; i++)
		note_level(to, t->levels[i]);
	distinct_merge(&to->distinct, &t->distinct);
}

/* Share of the sink's bytes that the scanner read; 1 where nothing is known of it (its matches prove that it was read). */
static double share_read(struct data *d, const struct data_group *g)
{
	struct data_sink *s;

	HASH_FIND_STR(d->sinks, g->sink, s);
	return s && s->total ? (double)s->scanned / (double)s->total : 1.0;
}

/* An estimate may be a little too high; more than there were cannot be. */
static uint64_t distinct_of(const struct data_tally *t)
{
	const uint64_t n = distinct_count(&t->distinct);

	return n < t->count ? n : t->count;
}

json_t *data_group_json(struct data *d, const struct data_group *g)
{
	const struct data_tally *t = &g->tally;
	const bool log = g->key.where == MATCH_LOG;
	json_t *levels = json_array();
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:b, s:s}", "entity", g->key.entity->name, "sink", log ? g->sink : "socket",
			      "count", (json_int_t)t->count, "distinct", (json_int_t)distinct_of(t), "distinct_estimated",
			      (int)t->distinct.estimated, "sample", t->sample);

	if (!log) {
		json_object_set_new(o, "direction", json_string(g->sink));
		json_object_set_new(o, "loopback", json_boolean(g->loopback));
		json_decref(levels);
		return o;
	}
	for (uint32_t i = 0; i < t->levels_n; i++)
		json_array_append_new(levels, json_string(t->levels[i]));
	json_object_set_new(o, "share_read", evidence_number(share_read(d, g)));
	json_object_set_new(o, "levels", levels);
	json_object_set_new(o, "first_line", json_integer((json_int_t)t->line));
	if (g->values) {
		json_object_set_new(o, "numbers_there", json_integer(g->values));
		json_object_set_new(o, "numbers_passed", json_integer(g->passed));
	}
	return o;
}

/* What a service is sent over the loopback interface has most often come through a proxy beside it, which speaks TLS to the world. */
static bool taken_from_proxy(const struct data_group *g)
{
	return g->loopback && !g->peer[0];
}

static void tell(struct data *d, struct data_group *g)
{
	char message[1024], where[2 * LIMIT_PEER_TEXT + 64];
	const struct entity *e = g->key.entity;
	const struct data_tally *t = &g->tally;
	const struct rule *rule = rule_of(g);
	const bool log = g->key.where == MATCH_LOG;

	if (t->count == g->told || taken_from_proxy(g))
		return;
	if (log)
		snprintf(where, sizeof where, "in %s", g->sink);
	else
		snprintf(where, sizeof where, "%s in the clear%s%s%s", g->sink, g->peer[0] ? ", peer " : "", g->peer,
			 g->loopback ? ", on this machine" : "");
	snprintf(message, sizeof message, "%s %s: %" PRIu64 " times, %s%" PRIu64 " distinct, such as %s", e->title, where, t->count,
		 t->distinct.estimated ? "about " : "", distinct_of(t), t->sample);
	const struct finding f = {
		.rule = rule,
		.severity = g->loopback ? SEVERITY_INFO : rule->severity,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = g->peer,
		.operation = "",
		.stack = g->stack,
		.sink = log ? g->sink : "socket",
		.key = log || !g->peer[0] ? g->sink : g->peer,
		.count = t->count - g->told,
		.first_seen_ns = g->first_untold_ns,
		.last_seen_ns = t->last_ns,
		.evidence = data_group_json(d, g),
		.message = message,
		.request_id = t->request_id,
	};
	d->env.emit(d->env.emit_ctx, &f);
	g->told = t->count;
}

void data_groups_tell(struct data *d)
{
	for (struct data_group *g = d->groups; g; g = g->hh.next)
		tell(d, g);
}

void data_groups_free(struct data *d)
{
	struct data_group *g, *next;

	HASH_ITER (hh, d->groups, g, next) {
		HASH_DEL(d->groups, g);
		free(g);
	}
}
