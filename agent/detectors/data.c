/*
 * Personal data and secrets in logs and, in the clear, on connections: one finding per entity, place and call site, made of the scanner's
 * matches; and stack traces in answers. It never sees a value: a match brings a masked sample and a keyed fingerprint (core/event.h).
 *
 * Owns the counts per sink. The session's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/data.h"
#include "detectors/evidence.h"
#include "protocols/protocol.h"

const struct rule data_rules[] = {
	{.id = "data.log.<entity>",
	 .severity = SEVERITY_ERROR,
	 .title = "personal data or a secret in a log",
	 .doc = "A value that the scanner recognised was written to a log. There is one rule for each entity that the scanner "
		"knows "
		"(`gapscope list` names them); its severity is the entity's. A number at a place of a line where most numbers fail "
		"the check is none, and the report says so.",
	 .remedy = "Do not log the value: drop the field, mask it, or log an opaque reference to it."},
	{.id = "data.plaintext.<entity>",
	 .severity = SEVERITY_ERROR,
	 .title = "a secret or card number in clear HTTP",
	 .doc = "Credentials, a card, account or national number went through a TCP connection that nothing encrypts, in HTTP. "
		"There is one rule for each entity of severity error or critical; what is sent over the loopback interface is told "
		"for "
		"information, what is received there not at all: a proxy beside the service may speak TLS.",
	 .remedy = "Speak TLS to this peer."},
	{.id = "data.response.stacktrace",
	 .severity = SEVERITY_WARNING,
	 .title = "stack trace in an answer",
	 .doc = "An HTTP answer of the service holds a stack trace (Java, Python, Go, JavaScript, PHP, Ruby or .NET): paths, "
		"versions "
		"and internals, told to whoever asks. Suspected where no such answer had the status of an error.",
	 .remedy = "Switch the debug mode off, and answer errors with a text and an id under which the log has the trace."},
	{0},
};

const struct rule *const data_trace_rule = &data_rules[2];

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
	struct data_sink *s, *s_next;

	if (!d)
		return;
	HASH_ITER (hh, d->sinks, s, s_next) {
		HASH_DEL(d->sinks, s);
		free(s);
	}
	data_slots_free(d);
	data_groups_free(d);
	data_traces_free(d);
	free(d);
}

/* NULL: there are too many. */
static struct data_sink *sink_of(struct data *d, const char *sink)
{
	char name[LIMIT_PEER_TEXT] = {0};
	struct data_sink *s;

	snprintf(name, sizeof name, "%s", sink);
	HASH_FIND_STR(d->sinks, name, s);
	if (s)
		return s;
	if (HASH_COUNT(d->sinks) >= LIMIT_SINKS || !(s = calloc(1, sizeof *s))) {
		d->env.counters->limit[LIMIT_REACHED_SINKS]++;
		return NULL;
	}
	memcpy(s->name, name, sizeof name);
	HASH_ADD_STR(d->sinks, name, s);
	return s;
}

static void data_log(void *ctx, const struct log_write *l)
{
	struct data *d = ctx;
	struct data_sink *s = d->sink_last;

	d->lines += l->lines;
	if (!s || strcmp(s->name, l->sink) != 0)
		s = d->sink_last = sink_of(d, l->sink);
	if (!s)
		return;
	s->total += l->total;
	s->scanned += l->scanned;
	s->lines += l->lines;
}

static bool in_clear_http(const struct conn *c)
{
	return c && !c->tls && c->protocol && !strncmp(c->protocol->name, "http", 4);
}

static void data_match(void *ctx, const struct log_match *m)
{
	struct data *d = ctx;
	const struct entity *e;
	struct data_group *g;

	if (m->where != MATCH_LOG && !in_clear_http(m->conn))
		return;
	e = entity_find(m->match->entity);
	g = e ? data_group_of(d, m, e) : NULL;
	if (g && !data_slot_holds(d, g, m))
		data_group_add(d, g, m);
}

static void tell_all(struct data *d, uint64_t now_ns, bool finished)
{
	data_slots_release(d, now_ns, finished);
	data_groups_tell(d);
	data_traces_tell(d);
}

static void data_tick(void *ctx, uint64_t now_ns)
{
	tell_all(ctx, now_ns, false);
}

static void data_finish(void *state, uint64_t now_ns)
{
	tell_all(state, now_ns, true);
}

static int by_entity_sink_site(const struct data_group *a, const struct data_group *b)
{
	int c = strcmp(a->key.entity->name, b->key.entity->name);

	if (!c)
		c = strcmp(a->sink, b->sink);
	if (!c)
		c = a->key.site < b->key.site ? -1 : a->key.site > b->key.site;
	return c;
}

static bool is_said(const json_t *rows, const char *text)
{
	size_t i;
	const json_t *row;

	json_array_foreach (rows, i, row) {
		if (json_is_string(row) && !strcmp(json_string_value(row), text))
			return true;
	}
	return false;
}

/* What goes to a log over a socket is no sink of its own: of a connection the shim sends no more than the beginnings. */
static void tell_part_read(struct data *d, const struct data_group *g, json_t *not_exercised)
{
	const struct data_sink *s;
	char text[LIMIT_PEER_TEXT + 128];

	HASH_FIND_STR(d->sinks, g->sink, s);
	/* names of ingest/carried.c; a local syslog is a sink as others are */
	const bool network = !strcmp(g->sink, "gelf") || !strcmp(g->sink, "fluent") || !strcmp(g->sink, "syslog") ||
			     !strcmp(g->sink, "json") || !strcmp(g->sink, "journal");
	if (g->key.where != MATCH_LOG || s || !network)
		return;
	snprintf(text, sizeof text,
		 "data: of what goes to %s over a socket only a part is read: there may be more than was counted", g->sink);
	if (!is_said(not_exercised, text))
		json_array_append_new(not_exercised, json_string(text));
}

static json_t *data_report(void *state, json_t *not_exercised)
{
	struct data *d = state;
	json_t *section = json_array();
	char site[SITE_TEXT_SIZE];

	HASH_SORT(d->groups, by_entity_sink_site);
	for (struct data_group *g = d->groups; g; g = g->hh.next) {
		if (!g->tally.count)
			continue; /* all that it had were numbers by chance */
		json_t *row = data_group_json(d, g);
		json_object_set_new(row, "rule", json_string(data_group_rule(g)));
		json_object_set_new(row, "call_site", json_string(evidence_site(d->env.stacks, g->stack, site, sizeof site)));
		json_object_set_new(row, "first_seen_ns", json_integer((json_int_t)g->tally.first_ns));
		json_object_set_new(row, "last_seen_ns", json_integer((json_int_t)g->tally.last_ns));
		json_array_append_new(section, row);
		tell_part_read(d, g, not_exercised);
	}
	if (!d->lines && !d->groups)
		json_array_append_new(not_exercised, json_string("data: no log line was seen"));
	data_slots_explain(d, not_exercised);
	for (struct data_sink *s = d->sinks; s; s = s->hh.next) {
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
	.doc = "personal data and secrets in logs and clear HTTP, with a masked sample and the number of distinct values; stack "
	       "traces in answers",
	.rules = data_rules,
	.section = "data",
	.create = data_create,
	.destroy = data_destroy,
	.observer = {.log = data_log,
		     .match = data_match,
		     .slot = data_slot,
		     .tick = data_tick,
		     .conn_data = data_trace_bytes,
		     .conn_plain = data_trace_bytes,
		     .request_start = data_trace_start,
		     .request_end = data_trace_end,
		     .conn_close = data_trace_close},
	.finish = data_finish,
	.report = data_report,
};
