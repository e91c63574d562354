/*
 * Connection churn: one connect a request; not pools, failures, slow pace or processes that exit.
 */
#include "detectors/samples.h"

#define ASK "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#define ASK_LAST "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define OK_LAST "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
#define OK_OLD "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OK_OLD_KEPT "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"

#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno"

struct plan {
	unsigned int connects, requests; /* requests on each */
	uint64_t gap_ns;
	bool keep, fail, by_peer, errors;
	const char *ask, *answer; /* NULL: ASK, OK */
};

static const struct rig_finding *play(struct rig *r, const struct plan *p)
{
	rig_init(r, &churn_detector);
	for (unsigned int i = 0; i < p->connects; i++) {
		const int fd = p->keep ? 10 + (int)i : 10;

		script_socket(&r->s, fd);
		script_connect(&r->s, fd, "10.0.0.9", 80, 0);
		for (unsigned int k = 0; k < p->requests; k++) {
			script_write(&r->s, fd, p->ask ? p->ask : ASK);
			if (!p->fail)
				script_read(&r->s, fd, p->errors ? BUSY : p->answer ? p->answer : OK);
		}
		if (p->by_peer)
			script_read_eof(&r->s, fd);
		if (!p->keep)
			script_close(&r->s, fd);
		script_pass(&r->s, p->gap_ns);
		if (i % 10 == 0)
			script_tick(&r->s);
	}
	if (p->keep)
		script_exit(&r->s, 100); /* all of them end at once */
	rig_finish(r);
	return rig_found(r, "resource.connection.churn");
}

static void test_churn(void **state)
{
	struct rig r;
	const struct rig_finding *f = play(&r, &(struct plan){.connects = 100, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC});

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->count, 100);
	assert_string_equal(f->peer, "10.0.0.9:80");
	assert_string_equal(json_string_value(json_object_get(f->evidence, "ended_by")), "service");
	assert_true(json_number_value(json_object_get(f->evidence, "requests_a_connection")) == 1);
	rig_done(&r);
	f = play(&r, &(struct plan){.connects = 100, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC, .by_peer = true});
	assert_non_null(f);
	assert_string_equal(json_string_value(json_object_get(f->evidence, "ended_by")), "peer");
	rig_done(&r);
}

/* Whoever closes first: who said that the connection ends with this answer? */
static void test_who_ends(void **state)
{
	static const struct {
		const char *ask, *answer, *ended_by;
	} cases[] = {
		{ASK, OK_LAST, "peer"},
		{ASK, OK_OLD, "peer"},
		{ASK, OK_OLD_KEPT, "service"},
		{ASK_LAST, OK_LAST, "service"},
		{"GET / HTTP/1.0\r\n\r\n", OK_OLD, "service"},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", OK_OLD, "peer"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig r;
		const struct rig_finding *f = play(&r, &(struct plan){.connects = 100,
								      .requests = 1,
								      .gap_ns = 100 * SCRIPT_MSEC,
								      .ask = cases[i].ask,
								      .answer = cases[i].answer});

		assert_non_null(f);
		assert_string_equal(json_string_value(json_object_get(f->evidence, "ended_by")), cases[i].ended_by);
		rig_done(&r);
	}
}

static void test_none(void **state)
{
	static const struct plan plans[] = {
		{.connects = 100, .requests = 5, .gap_ns = 100 * SCRIPT_MSEC},
		{.connects = 20, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC},
		{.connects = 100, .requests = 1, .gap_ns = 5 * SCRIPT_SEC},                  /* a check now and then */
		{.connects = 100, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC, .keep = true}, /* a pool that fills */
		{.connects = 100, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC, .fail = true}, /* a peer that fails */
		{.connects = 100, .requests = 1, .gap_ns = 100 * SCRIPT_MSEC, .errors = true},
	};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		if (play(&r, &plans[i]))
			fail_msg("plan %zu is no churn", i);
		rig_done(&r);
	}
}

TEST_MAIN(cmocka_unit_test(test_churn), cmocka_unit_test(test_who_ends), cmocka_unit_test(test_none))
