/*
 * A name that cannot be found, looked up again and again.
 */
#include <netdb.h>

#include "detectors/detectors.h"
#include "detectors/retry.h"
#include "detectors/rig.h"

static void start(struct rig *r)
{
	rig_init(r, &retry_detector);
	r->s.stack = rig_stack(r, "dial", "shop");
}

static void look_up(struct rig *r, int code, uint64_t pause)
{
	script_resolve(&r->s, "db.internal", code ? NULL : "10.0.0.9", code);
	script_pass(&r->s, pause);
}

static const char *said(const struct rig *r, const char *what)
{
	assert_int_equal(json_array_size(r->section), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(r->section, 0), "operation")), "resolve");
	return json_string_value(json_object_get(json_array_get(r->section, 0), what));
}

static void test_for_ever(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (unsigned int i = 0; i < 40; i++) {
		r.s.tid = 100 + i % 7; /* helpers of an event loop */
		look_up(&r, i % 2 ? EAI_AGAIN : EAI_NONAME, SCRIPT_MSEC);
	}
	rig_finish(&r);
	assert_string_equal(said(&r, "class"), "unbounded");
	assert_string_equal(said(&r, "peer"), "db.internal");
	assert_non_null(rig_found(&r, "retry.unbounded"));
	assert_non_null(rig_found(&r, "retry.no_backoff"));
	rig_done(&r);
}

static void test_until_it_is_found(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (unsigned int i = 0; i < 4; i++)
		look_up(&r, i < 3 ? TRY_AGAIN : 0, (100U << i) * SCRIPT_MSEC);
	script_exit(&r.s, 100);
	rig_finish(&r);
	assert_string_equal(said(&r, "backoff"), "exponential");
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* What was found is no row; what was asked wrongly was not looked up; no name at all is none either. */
static void test_nothing_to_say(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (unsigned int i = 0; i < 30; i++) {
		look_up(&r, 0, SCRIPT_MSEC);
		look_up(&r, EAI_FAMILY, SCRIPT_MSEC);
		script_resolve(&r.s, "", NULL, EAI_NONAME);
	}
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	assert_int_equal(json_array_size(r.section), 0);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_for_ever),
		cmocka_unit_test(test_until_it_is_found),
		cmocka_unit_test(test_nothing_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
