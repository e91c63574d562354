/*
 * Attempts over connections: connects, exchanges of an unknown protocol on pooled connections, and when an attempt ended.
 */
#include "detectors/detectors.h"
#include "detectors/retry.h"
#include "detectors/rig.h"

static void start(struct rig *r)
{
	rig_init(r, &retry_detector);
	r->s.stack = rig_stack(r, "fetch", "shop");
}

static void dial(struct rig *r, int fd, int err)
{
	script_socket(&r->s, fd);
	script_connect(&r->s, fd, "10.0.0.9", 6379, err);
}

/* A greeting that is answered, then a command that is not; the client gives up after 2 s, closes after its back-off. */
static void unanswered(struct rig *r, uint64_t backoff)
{
	dial(r, 5, 0);
	script_write(&r->s, 5, "HELLO 3\r\n");
	script_read(&r->s, 5, "+OK\r\n");
	script_write(&r->s, 5, "GET cart\r\n");
	script_poll(&r->s, 5, POLLIN, 0, 2 * (int64_t)SCRIPT_SEC);
	script_pass(&r->s, backoff);
	script_close(&r->s, 5);
}

static const json_t *row_with(const struct rig *r, int attempts)
{
	size_t i;
	json_t *row;

	json_array_foreach (r->section, i, row) {
		if (json_integer_value(json_object_get(row, "max_attempts")) == attempts)
			return row;
	}
	return NULL;
}

static void test_exchange_after_a_good_one(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (unsigned int i = 0; i < 4; i++)
		unanswered(&r, i < 3 ? (200U << i) * SCRIPT_MSEC : 0);
	script_exit(&r.s, 100);
	rig_finish(&r);
	const json_t *row = row_with(&r, 4);
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, "class")), "bounded");
	assert_string_equal(json_string_value(json_object_get(row, "backoff")), "exponential");
	rig_done(&r);
}

/* Good exchanges on a pooled connection leave nothing behind but the first one. */
static void test_good_exchanges_are_not_followed(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	dial(&r, 5, 0);
	for (int i = 0; i < 100; i++) {
		char command[32];
		snprintf(command, sizeof command, "GET %d\r\n", i);
		script_write(&r.s, 5, command);
		script_read(&r.s, 5, "+x\r\n");
	}
	assert_int_equal(HASH_COUNT(((struct retry *)r.state)->keys), 2); /* the connect, and GET 0 */
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 0);
	rig_done(&r);
}

/* Some connects come without a call site: they belong to the one that is known. */
static void test_connects_without_a_site(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	uint32_t site = r.s.stack;
	for (int i = 0; i < 4; i++) {
		r.s.stack = i % 2 ? site : 0;
		dial(&r, 5, ECONNREFUSED);
		script_close(&r.s, 5);
		script_pass(&r.s, 300 * SCRIPT_MSEC);
	}
	script_exit(&r.s, 100);
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 1);
	assert_non_null(row_with(&r, 4));
	assert_string_equal(rig_text(&r, 0, "call_site", NULL), "fetch() in shop");
	rig_done(&r);
}

/* What connects from two places does not make one loop. */
static void test_two_sites(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	uint32_t sites[2] = {r.s.stack, rig_stack(&r, "warm", "shop")};
	for (int i = 0; i < 4; i++) {
		r.s.stack = sites[i % 2];
		dial(&r, 5, ECONNREFUSED);
		script_close(&r.s, 5);
		script_pass(&r.s, 300 * SCRIPT_MSEC);
	}
	rig_finish(&r);
	assert_int_equal(json_array_size(r.section), 2);
	assert_null(row_with(&r, 4));
	rig_done(&r);
}

static void test_times(void **state)
{
	struct conn c = {.connect_t0 = 1000, .connect_t1 = 2000};

	(void)state;
	assert_int_equal(retry_connect_ns(&c, 2500), 1000);
	assert_int_equal(retry_connect_ns(&c, 2000 + RETRY_FRESH_NS), 0);
	c.connect_t0 = 0;
	assert_int_equal(retry_connect_ns(&c, 2500), 0);
	assert_int_equal(retry_timed_out_ns(&c, 7000), 7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange_after_a_good_one),
		cmocka_unit_test(test_good_exchanges_are_not_followed),
		cmocka_unit_test(test_connects_without_a_site),
		cmocka_unit_test(test_two_sites),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
