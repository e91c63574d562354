/*
 * See proofs.h.
 *
 *   "proofs": [{"peer", "fault", "phase", "outcome": "gave_up|waited|attempts|not_reached|unfit|unclear|planned", "seconds", "affected",
 *               "attempts", "backoff", "jitter", "text": "gives up after 3.0 s", "why"}…]
 *   "proof":  {"finished": true, "why": ""}     once everything that was to be tried has been
 */
#include "report/proofs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/faults.h"
#include "detectors/evidence.h"
#include "report/findings.h"
#include "report/render_util.h"
#include "report/text.h"

#define PROOFS_MAX 256U
#define PEERS_MAX 256U
#define LATE 0.75 /* of the time that was measured, at least so much was meant */
#define ALIKE 1.2 /* times to give up that differ by less are told as one */

struct proof {
	struct event_proof e;
	uint64_t time_ns;
};

struct peer {
	uint8_t address[16];
	uint16_t port;
	char name[LIMIT_PEER_TEXT];
};

struct proofs {
	const struct stacks *stacks;
	struct counters *counters;
	struct proof proofs[PROOFS_MAX];
	struct peer peers[PEERS_MAX];
	size_t proofs_n, peers_n;
	bool finished;
	char why[64];
};

struct proofs *proofs_new(const struct stacks *stacks, struct counters *counters)
{
	struct proofs *p = calloc(1, sizeof(*p));

	if (p) {
		p->stacks = stacks;
		p->counters = counters;
	}
	return p;
}

void proofs_free(struct proofs *p)
{
	free(p);
}

/* -- what is told -- */

/* A body that stops is given up so long after its last byte, or so long after it was asked for: after whichever is what a silent peer is
 * given. */
static void settle_body(const struct proofs *p, struct event_proof *e)
{
	for (size_t i = 0; i < p->proofs_n; i++) {
		const struct event_proof *s = &p->proofs[i].e;
		const double off = (double)e->least_ns - (double)s->least_ns, whole_off = (double)e->whole_ns - (double)s->least_ns;

		if (strcmp(s->fault, "stall") != 0 || s->gave_up == 0 || s->port != e->port ||
		    memcmp(s->address, e->address, sizeof(s->address)) != 0 || whole_off * whole_off >= off * off)
			continue;
		e->most_ns += e->whole_ns - e->least_ns;
		e->least_ns = e->whole_ns;
		return;
	}
}

static void on_event(void *ctx, const struct event *e)
{
	struct proofs *p = ctx;
	struct proof new = {.time_ns = e->t1};

	if (e->id != WIRE_PROOF || e->data_len < sizeof(new.e))
		return;
	memcpy(&new.e, e->data, sizeof(new.e));
	/* It may come from a recording. */
	new.e.fault[sizeof(new.e.fault) - 1] = new.e.phase[sizeof(new.e.phase) - 1] = new.e.outcome[sizeof(new.e.outcome) - 1] =
		new.e.why[sizeof(new.e.why) - 1] = '\0';
	if (strcmp(new.e.fault, "body") == 0 && new.e.gave_up)
		settle_body(p, &new.e);
	if (strcmp(new.e.outcome, "finished") == 0) {
		p->finished = true;
		memcpy(p->why, new.e.why, sizeof(p->why));
	} else if (p->proofs_n < PROOFS_MAX) {
		p->proofs[p->proofs_n++] = new;
	}
}

static bool read_address(const struct conn *c, uint8_t to[16], uint16_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&c->peer_addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&c->peer_addr;

	if (c->kind != CONN_TCP || !c->peer[0])
		return false;
	if (c->peer_addr.ss_family == AF_INET) {
		memset(to, 0, 10);
		memset(to + 10, 0xff, 2);
		memcpy(to + 12, &v4->sin_addr, 4);
		*ret_port = ntohs(v4->sin_port);
		return true;
	}
	memcpy(to, &v6->sin6_addr, 16);
	*ret_port = ntohs(v6->sin6_port);
	return c->peer_addr.ss_family == AF_INET6;
}

static const char *peer_name(const struct proofs *p, const uint8_t address[16], uint16_t port)
{
	for (size_t i = 0; i < p->peers_n; i++)
		if (p->peers[i].port == port && memcmp(p->peers[i].address, address, 16) == 0)
			return p->peers[i].name;
	return NULL;
}

static void on_connect(void *ctx, struct conn *c, const struct event *e)
{
	struct proofs *p = ctx;
	struct peer new;

	(void)e;
	if (!read_address(c, new.address, &new.port) || peer_name(p, new.address, new.port) || p->peers_n == PEERS_MAX)
		return;
	snprintf(new.name, sizeof(new.name), "%s", c->peer);
	p->peers[p->peers_n++] = new;
}

const struct observer proofs_observer = {.rare_event = on_event, .conn_connect = on_connect};

/* -- what is said -- */

static const char *name_of(const struct proofs *p, const struct event_proof *e, char *buf, size_t size)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const char *known = peer_name(p, e->address, e->port);
	const bool v4 = memcmp(e->address, mapped, sizeof(mapped)) == 0;
	char text[INET6_ADDRSTRLEN] = "";

	if (known)
		return known;
	if (e->port == 0)
		return "";
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? e->address + 12 : e->address, text, sizeof(text));
	snprintf(buf, size, v4 ? "%s:%u" : "[%s]:%u", text, e->port);
	return buf;
}

static bool is(const struct event_proof *e, const char *outcome)
{
	return strcmp(e->outcome, outcome) == 0;
}

/* Of all that is retried at a peer, what was tried most often: connects where these were refused, else what is not a connect. */
static const json_t *retries_of(const json_t *report, const char *peer, bool connects)
{
	const json_t *row, *most = NULL;
	size_t i;

	json_array_foreach (json_object_get(report, "retries"), i, row) {
		const bool connect = strcmp(json_text(row, "operation"), "connect") == 0;

		if (strcmp(json_text(row, "peer"), peer) != 0 || connect != connects)
			continue;
		if (!most || json_number(row, "max_attempts") > json_number(most, "max_attempts"))
			most = row;
	}
	return most;
}

/* "7 attempts, exponential, jittered" */
static void say_attempts(const json_t *r, char *text, size_t size)
{
	const json_int_t n = r ? json_number(r, "max_attempts") : 1;
	const char *class = r ? json_text(r, "class") : "none", *backoff = r ? json_text(r, "backoff") : "";
	const char *jitter = r ? json_text(r, "jitter") : "";
	const bool endless = strcmp(class, "unbounded") == 0;

	if (n <= 1) {
		snprintf(text, size, "one attempt, no retry");
		return;
	}
	snprintf(text, size, "%s%" JSON_INTEGER_FORMAT " attempts%s%s%s%s%s", strcmp(class, "undecided") == 0 ? "at least " : "", n,
		 endless ? " and no giving up" : "", ", ", strcmp(backoff, "none") == 0 ? "no back-off" : backoff,
		 strcmp(jitter, "unknown") == 0 ? "" : ", ",
		 strcmp(jitter, "yes") == 0  ? "jittered"
		 : strcmp(jitter, "no") == 0 ? "no jitter"
					     : "");
}

static const struct fault *fault_of(const struct event_proof *e)
{
	const enum fault_kind k = fault_find(e->fault);

	return k < FAULTS ? &faults[k] : NULL;
}

/* Noise only lengthens: of times that are told as one, the shortest is nearest to what was meant. */
static bool alike(const struct event_proof *e)
{
	return (double)e->most_ns <= ALIKE * (double)e->least_ns + 0.1e9;
}

static void say(const struct event_proof *e, const json_t *retries, const char *peer, char *text, size_t size)
{
	const struct fault *f = fault_of(e);
	char least[32], most[32];

	snprintf(most, sizeof(most), "%.1f", (double)e->most_ns / 1e9);
	snprintf(least, sizeof(least), "%.1f", (double)e->least_ns / 1e9);
	if (is(e, "gave_up"))
		snprintf(text, size, alike(e) ? "gives up after %s s" : "gives up after %s to %s s", least, most);
	else if (is(e, "waited"))
		snprintf(text, size, "still waiting after %.3g s", (double)e->waited_ns / 1e9);
	else if (is(e, "attempts"))
		say_attempts(retries, text, size);
	else if (is(e, "not_reached"))
		snprintf(text, size, "not reached: no new connection while the fault was on");
	else if (is(e, "unfit"))
		snprintf(text, size, "the fault does not fit what is spoken there");
	else if (is(e, "planned"))
		snprintf(text, size, "would %s%s%s", f ? f->doc : e->fault, *peer ? " " : "", peer);
	else
		snprintf(text, size, "unclear: it ended too early to tell%s%s", *e->why ? ": " : "", e->why);
}

static json_t *seconds_of(const struct event_proof *e)
{
	return is(e, "gave_up")  ? evidence_seconds(alike(e) ? e->least_ns : e->most_ns)
	       : is(e, "waited") ? evidence_seconds(e->waited_ns)
				 : json_null();
}

static json_t *row_of(const struct proofs *p, const struct event_proof *e, const json_t *report)
{
	char name[LIMIT_PEER_TEXT], text[512];
	const char *peer = name_of(p, e, name, sizeof(name));
	const json_t *r = is(e, "attempts") ? retries_of(report, peer, strcmp(e->fault, "refuse") == 0) : NULL;
	json_t *row;

	say(e, r, peer, text, sizeof(text));
	row = json_pack("{s:o, s:s, s:s, s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:s}", "peer", text_json(peer), "fault", e->fault,
			"phase", e->phase, "outcome", e->outcome, "seconds", seconds_of(e), "affected", (int)e->affected, "gave_up",
			(int)e->gave_up, "longest_wait_s", evidence_seconds(e->waited_ns), "duration_s",
			evidence_seconds(e->duration_ns), "text", text_json(text), "why", e->why);
	if (is(e, "attempts")) {
		json_object_set_new(row, "attempts", json_integer(r ? json_number(r, "max_attempts") : 1));
		json_object_set_new(row, "class", json_string(r ? json_text(r, "class") : "none"));
		json_object_set_new(row, "backoff", json_string(r ? json_text(r, "backoff") : "none"));
		json_object_set_new(row, "jitter", json_string(r ? json_text(r, "jitter") : "unknown"));
	}
	return row;
}

/* -- what it changes -- */

static const char *kind_of(const json_t *phases, const char *phase)
{
	return json_text(json_object_get(phases, phase), "bound");
}

/* The words of DETECTORS for what holds, from the bounds of a deadline's row. */
static const char *verdict_of(const json_t *phases)
{
	const bool connect = strcmp(kind_of(phases, "connect"), "finite") == 0;
	const char *response = kind_of(phases, "response"), *body = kind_of(phases, "body");

	if (strcmp(kind_of(phases, "total"), "finite") == 0)
		return "total";
	if (strcmp(response, "finite") == 0)
		return strcmp(body, "none") == 0 ? "connect+header" : connect ? "connect+read" : "read";
	if (strcmp(response, "none") == 0 || strcmp(body, "none") == 0)
		return connect ? "connect-only" : "none";
	return "undecided";
}

static void enter_deadline(json_t *deadlines, const json_t *proof)
{
	const bool gave_up = strcmp(json_text(proof, "outcome"), "gave_up") == 0;
	const char *phase = json_text(proof, "phase");
	const char *none = strcmp(phase, "connect") == 0 ? "kernel" : "none";
	char evidence[640];
	json_t *row;
	size_t i;

	snprintf(evidence, sizeof(evidence), "proof (%s): %s; %" JSON_INTEGER_FORMAT " affected", json_text(proof, "fault"),
		 json_text(proof, "text"), json_number(proof, "affected"));
	json_array_foreach (deadlines, i, row) {
		json_t *phases = json_object_get(row, "phase");
		const json_t *old = json_object_get(phases, phase);

		if (!old || strcmp(json_text(row, "peer"), json_text(proof, "peer")) != 0)
			continue;
		json_object_set_new(phases, phase,
				    json_pack("{s:s, s:O, s:s, s:s}", "bound", gave_up ? "finite" : none, "seconds",
					      gave_up                       ? json_object_get(proof, "seconds")
					      : strcmp(none, "kernel") == 0 ? json_object_get(old, "seconds")
									    : json_null(),
					      "confidence", "proven", "evidence", evidence));
		json_object_set_new(row, "verdict", json_string(verdict_of(phases)));
	}
}

/*
 * How long a call of the service waits by its own limit, as it was seen to state it, if that fits what was measured: from outside, giving up
 * is seen when the service comes to it, which on a busy machine is later.
 */
static void as_stated(const struct proofs *p, const json_t *report, struct event_proof *e)
{
	const json_t *deadlines = json_object_get(report, "deadlines"), *row;
	char name[LIMIT_PEER_TEXT];
	const char *peer = name_of(p, e, name, sizeof(name));
	size_t i;

	json_array_foreach (deadlines, i, row) {
		const json_t *b = json_object_get(json_object_get(row, "phase"), e->phase);
		const double ns = json_number_value(json_object_get(b, "seconds")) * 1e9;

		if (strcmp(json_text(row, "peer"), peer) == 0 && strcmp(json_text(b, "bound"), "finite") == 0 &&
		    ns <= (double)e->most_ns && ns >= LATE * (double)e->least_ns)
			e->least_ns = e->most_ns = (uint64_t)ns;
	}
}

static bool concerns(const json_t *finding, const json_t *proof)
{
	const char *rule = json_text(finding, "rule"), *phase = json_text(proof, "phase");
	const bool waited = strcmp(json_text(proof, "outcome"), "waited") == 0;
	const bool tried = strcmp(json_text(proof, "outcome"), "attempts") == 0;
	char missing[64];

	if (strcmp(json_text(finding, "peer"), json_text(proof, "peer")) != 0)
		return false;
	snprintf(missing, sizeof(missing), "deadline.%s.missing", phase);
	return (waited && strcmp(rule, missing) == 0) ||
	       (tried && strcmp(rule, "retry.unbounded") == 0 && strcmp(json_text(proof, "class"), "unbounded") == 0);
}

/* Findings belong to their store, which keeps them as they were: a copy becomes proven. */
static bool enter_findings(json_t *findings, const json_t *proof)
{
	bool found = false;
	json_t *f;
	size_t i;

	json_array_foreach (findings, i, f) {
		if (!concerns(f, proof))
			continue;
		json_t *copy = json_copy(f), *evidence = json_copy(json_object_get(f, "evidence"));

		json_object_set_new(copy, "confidence", json_string("proven"));
		json_object_set(evidence, "proof", json_object_get(proof, "text"));
		json_object_set_new(copy, "evidence", evidence);
		json_array_set_new(findings, i, copy);
		found = true;
	}
	return found;
}

static const struct rule *rule_of(const char *id)
{
	for (size_t d = 0; detector_table[d]; d++)
		for (const struct rule *r = detector_table[d]->rules; r && r->id; r++)
			if (strcmp(r->id, id) == 0)
				return r;
	return NULL;
}

/* Nobody else could tell: the fault is the only evidence. */
static void add_finding(const struct proofs *p, const struct proof *from, json_t *findings, const json_t *proof)
{
	char id[64], message[768];
	struct findings *one;

	snprintf(id, sizeof(id), "deadline.%s.missing", json_text(proof, "phase"));
	const struct rule *rule = rule_of(id);

	if (!rule || !(one = findings_new(p->stacks, p->counters)))
		return;
	snprintf(message, sizeof(message), "%s — no %s deadline: %s", json_text(proof, "peer"), json_text(proof, "phase"),
		 json_text(proof, "text"));
	const struct finding f = {
		.rule = rule,
		.severity = rule->severity,
		.confidence = CONFIDENCE_PROVEN,
		.peer = json_text(proof, "peer"),
		.operation = json_text(proof, "phase"),
		.key = json_text(proof, "peer"),
		.count = from->e.affected,
		.first_seen_ns = from->time_ns > from->e.duration_ns ? from->time_ns - from->e.duration_ns : 0,
		.last_seen_ns = from->time_ns,
		.evidence = json_pack("{s:s, s:O, s:O, s:O}", "phase", json_text(proof, "phase"), "longest_wait_s",
				      json_object_get(proof, "longest_wait_s"), "calls", json_object_get(proof, "affected"),
				      "proof", json_object_get(proof, "text")),
		.message = message,
	};
	findings_emit(one, &f);
	if (findings_count(one))
		json_array_append(findings, findings_json(one, 0));
	findings_free(one);
}

void proofs_enter(const struct proofs *p, json_t *report)
{
	json_t *rows = json_array(), *findings = json_object_get(report, "findings");

	for (size_t i = 0; i < p->proofs_n; i++) {
		struct event_proof e = p->proofs[i].e;

		if (is(&e, "gave_up"))
			as_stated(p, report, &e);
		json_t *row = row_of(p, &e, report);

		json_array_append_new(rows, row);
		if (is(&e, "waited") || is(&e, "gave_up"))
			enter_deadline(json_object_get(report, "deadlines"), row);
		if (!enter_findings(findings, row) && is(&e, "waited") && *e.phase && strcmp(e.phase, "resolve") != 0)
			add_finding(p, &p->proofs[i], findings, row);
	}
	if (p->proofs_n)
		json_object_set(report, "proofs", rows);
	json_decref(rows);
	if (p->finished)
		json_object_set_new(report, "proof", json_pack("{s:b, s:s}", "finished", 1, "why", p->why));
}
