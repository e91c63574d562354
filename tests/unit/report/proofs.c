/* What injected faults change in a report. */
#include "sample.h"

#include "report/proofs.h"

static struct proofs *proofs;
static struct stacks *stacks;
static struct counters counters;

static void told(const char *fault, const char *phase, const char *outcome, uint64_t gave_up_ns, uint64_t whole_ns,
		 uint64_t waited_ns)
{
	struct event_proof p = {.address = {[10] = 0xff, 0xff, 10, 0, 0, 1},
				.port = 443,
				.affected = 2,
				.gave_up = gave_up_ns != 0,
				.waited = waited_ns != 0,
				.least_ns = gave_up_ns,
				.most_ns = gave_up_ns,
				.whole_ns = whole_ns,
				.waited_ns = waited_ns};
	struct event e = {.id = WIRE_PROOF, .t0 = 5, .t1 = 5, .data = (const uint8_t *)&p, .data_len = sizeof p};

	snprintf(p.fault, sizeof p.fault, "%s", fault);
	snprintf(p.phase, sizeof p.phase, "%s", phase);
	snprintf(p.outcome, sizeof p.outcome, "%s", outcome);
	proofs_observer.rare_event(proofs, &e);
}

static int set_up(void **state)
{
	struct conn c = {.kind = CONN_TCP, .role = CONN_CLIENT, .peer = "payments:443"};
	struct sockaddr_in *a = (struct sockaddr_in *)(void *)&c.peer_addr;

	(void)state;
	stacks = stacks_new();
	proofs = proofs_new(stacks, &counters);
	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x0a000001)};
	proofs_observer.conn_connect(proofs, &c, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	proofs_free(proofs);
	stacks_free(stacks);
	return 0;
}

/* A report in which nothing is decided, unless the calls stated a limit. */
static json_t *entered_beside(double stated_s)
{
	json_t *r = report_new(json_pack("{s:s}", "name", "shop"));
	const char *unknown = "{s:s, s:n, s:s, s:s}";
	json_t *b = json_pack(unknown, "bound", "unknown", "seconds", "confidence", "suspected", "evidence", "");

	if (stated_s > 0) {
		json_object_set_new(b, "bound", json_string("finite"));
		json_object_set_new(b, "seconds", json_real(stated_s));
	}
	json_array_append_new(json_object_get(r, "deadlines"),
			      json_pack("{s:s, s:s, s:{s:O, s:O, s:O, s:o}, s:s}", "peer", "payments:443", "protocol", "http",
					"phase", "connect", b, "response", b, "body", b, "total", json_copy(b), "verdict",
					"undecided"));
	json_array_append_new(json_object_get(r, "retries"),
			      json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "peer", "payments:443", "operation", "GET /",
					"max_attempts", 7, "class", "bounded", "backoff", "exponential", "jitter", "yes"));
	json_decref(b);
	proofs_enter(proofs, r);
	return r;
}

static json_t *entered(void)
{
	return entered_beside(0);
}

static const json_t *row(const json_t *report, size_t i)
{
	return json_array_get(json_object_get(report, "proofs"), i);
}

static void text_is(const json_t *o, const char *key, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(o, key)), text);
}

static const json_t *bound(const json_t *report, const char *phase)
{
	return json_object_get(json_object_get(json_array_get(json_object_get(report, "deadlines"), 0), "phase"), phase);
}

static void gives_up(void **state)
{
	(void)state;
	told("stall", "response", "gave_up", 3004000000ULL, 3004000000ULL, 0);
	told("body", "body", "gave_up", 2704000000ULL, 3006000000ULL, 0);
	json_t *r = entered();
	text_is(row(r, 0), "peer", "payments:443");
	text_is(row(r, 0), "text", "gives up after 3.0 s");
	text_is(bound(r, "response"), "bound", "finite");
	text_is(bound(r, "response"), "confidence", "proven");
	assert_true(json_real_value(json_object_get(bound(r, "response"), "seconds")) == 3.004);
	/* a silent peer is given 3 s from the request on: so is one that stops in the middle */
	assert_true(json_real_value(json_object_get(bound(r, "body"), "seconds")) == 3.006);
	text_is(json_array_get(json_object_get(r, "deadlines"), 0), "verdict", "read");
	assert_int_equal(json_array_size(json_object_get(r, "findings")), 0);
	json_decref(r);
}

/* The call itself says how long it waits; on a busy machine its service comes late to giving up. */
static void gives_up_late(void **state)
{
	static const struct {
		double stated_s;
		const char *text;
	} cases[] = {{2.0, "gives up after 2.0 s"}, {0.5, "gives up after 2.4 s"}, {5.0, "gives up after 2.4 s"}};

	(void)state;
	told("stall", "response", "gave_up", 2430000000ULL, 2430000000ULL, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *r = entered_beside(cases[i].stated_s);
		text_is(row(r, 0), "text", cases[i].text);
		text_is(bound(r, "response"), "confidence", "proven");
		json_decref(r);
	}
}

static void waits_for_ever(void **state)
{
	(void)state;
	told("stall", "response", "waited", 0, 0, 30000000000ULL);
	json_t *r = entered();
	text_is(row(r, 0), "text", "still waiting after 30 s");
	text_is(bound(r, "response"), "bound", "none");
	text_is(json_array_get(json_object_get(r, "deadlines"), 0), "verdict", "none");
	const json_t *f = json_array_get(json_object_get(r, "findings"), 0);
	text_is(f, "rule", "deadline.response.missing");
	text_is(f, "confidence", "proven");
	text_is(f, "peer", "payments:443");
	json_decref(r);
}

static void attempts(void **state)
{
	(void)state;
	told("503", "", "attempts", 0, 0, 0);
	told("refuse", "", "attempts", 0, 0, 0);
	told("", "", "finished", 0, 0, 0);
	json_t *r = entered();
	text_is(row(r, 0), "text", "7 attempts, exponential, jittered");
	text_is(row(r, 0), "class", "bounded");
	text_is(row(r, 1), "text", "one attempt, no retry"); /* of connects none is known */
	assert_int_equal(json_array_size(json_object_get(r, "proofs")), 2);
	assert_true(json_is_true(json_object_get(json_object_get(r, "proof"), "finished")));
	json_decref(r);
}

static void plan(void **state)
{
	(void)state;
	told("stall", "response", "planned", 0, 0, 0);
	json_t *r = entered();
	text_is(row(r, 0), "text", "would withhold the answers of payments:443");
	text_is(bound(r, "response"), "bound", "unknown");
	json_decref(r);
}

static void nothing(void **state)
{
	(void)state;
	json_t *r = entered();
	assert_null(json_object_get(r, "proofs"));
	assert_null(json_object_get(r, "proof"));
	json_decref(r);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {CASE(gives_up), CASE(gives_up_late), CASE(waits_for_ever),
					   CASE(attempts), CASE(plan),          CASE(nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
