/*
 * data_group.c: what went in the clear over a connection, by peer and direction; the request that a line was written in.
 */
#include "detectors/detectors.h"
#include "detectors/rig.h"

static const struct rig_finding *clear_to(struct rig *r, const char *address, const char *request)
{
	rig_init(r, &data_detector);
	script_socket(&r->s, 5);
	script_connect(&r->s, 5, address, 80, 0);
	script_write(&r->s, 5, request);
	script_match(&r->s, 5, EVENT_SENT, "BEARER_TOKEN", "8f••••", 1);
	script_match(&r->s, 5, EVENT_RECEIVED, "PASSWORD", "••••", 2);
	rig_finish(r);
	return rig_found(r, "data.plaintext.bearer_token");
}

static void in_clear_http(void **state)
{
	struct rig r;
	const struct rig_finding *f = clear_to(&r, "10.0.0.9", RIG_GET);

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_CRITICAL);
	assert_string_equal(f->peer, "10.0.0.9:80");
	assert_non_null(rig_found(&r, "data.plaintext.password"));
	assert_null(rig_found(&r, "data.log.bearer_token"));
	assert_string_equal(rig_text(&r, 0, "rule", NULL), "data.plaintext.bearer_token");
	assert_string_equal(rig_text(&r, 0, "direction", NULL), "sent");
	rig_done(&r);
}

static void on_this_machine_for_information(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "127.3.2.1"};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		const struct rig_finding *f = clear_to(&r, addresses[i], RIG_GET);

		assert_non_null(f);
		assert_int_equal(f->severity, SEVERITY_INFO);
		rig_done(&r);
	}
}

/* What is not HTTP may be a dump, a page of a database, anything. */
static void of_other_protocols_nothing(void **state)
{
	struct rig r;

	(void)state;
	assert_null(clear_to(&r, "10.0.0.9", "\x01\x02\x03 no protocol at all"));
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void the_request_of_a_line(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &data_detector);
	assert_int_equal(model_serving(r.s.model, 100, 0), 0);
	struct request q = {.server = true, .pid = 100, .tid = 3};
	model_request_start(r.s.model, &q);
	r.s.tid = 3;
	script_match(&r.s, 1, "stdout", "EMAIL", "a•••@•••.org", 1);
	rig_finish(&r);
	assert_int_equal(r.found[0].request_id, q.id);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_clear_http),
		cmocka_unit_test(on_this_machine_for_information),
		cmocka_unit_test(of_other_protocols_nothing),
		cmocka_unit_test(the_request_of_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
