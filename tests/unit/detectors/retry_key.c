/*
 * The table of operations: what makes two requests one operation, and that the table stays bounded.
 */
#include "detectors/retry.h"
#include "detectors/rig.h"

static void test_request_hash(void **state)
{
	const struct request a = {.method = "GET", .path = "/a", .query = "x=1"};
	struct request b = a;

	(void)state;
	assert_int_equal(retry_request_hash(&a), retry_request_hash(&b));
	snprintf(b.query, sizeof b.query, "x=2");
	assert_int_not_equal(retry_request_hash(&a), retry_request_hash(&b));
	b = a;
	snprintf(b.method, sizeof b.method, "PUT");
	assert_int_not_equal(retry_request_hash(&a), retry_request_hash(&b));
	b = a;
	b.body_hash = 1;
	assert_int_not_equal(retry_request_hash(&a), retry_request_hash(&b));
	/* The parts do not run into each other. */
	b = (struct request){.method = "GET", .path = "/ax", .query = "=1"};
	assert_int_not_equal(retry_request_hash(&a), retry_request_hash(&b));
}

static void test_text_leaves_the_query_out(void **state)
{
	const struct request a = {.method = "GET", .path = "/a", .query = "token=secret"};
	char buf[LIMIT_PEER_TEXT];

	(void)state;
	assert_string_equal(retry_operation_text(&a, buf, sizeof buf), "GET /a");
}

static void test_same_key(void **state)
{
	struct counters counters = {0};
	struct retry r = {.env = {.counters = &counters}};

	(void)state;
	struct retry_key *k = retry_key_get(&r, RETRY_OF_REQUEST, "p:1", "GET /", 1, 0);
	assert_non_null(k);
	assert_ptr_equal(retry_key_get(&r, RETRY_OF_REQUEST, "p:1", "GET /", 1, 0), k);
	assert_ptr_not_equal(retry_key_get(&r, RETRY_OF_REQUEST, "p:2", "GET /", 1, 0), k);
	assert_ptr_not_equal(retry_key_get(&r, RETRY_OF_REQUEST, "p:1", "GET /", 2, 0), k);
	retry_keys_free(&r);
	assert_null(r.keys);
}

/* A million different healthy operations: the oldest make room. Failed ones stay, and once all are failed, newcomers are counted. */
static void test_bounded(void **state)
{
	struct counters counters = {0};
	struct retry r = {.env = {.counters = &counters}};

	(void)state;
	for (uint64_t i = 0; i < 1000000; i++)
		assert_non_null(retry_key_get(&r, RETRY_OF_REQUEST, "p:1", "GET /", i, 0));
	assert_int_equal(HASH_COUNT(r.keys), LIMIT_OPERATIONS);
	assert_int_equal(counters.limit[LIMIT_REACHED_OPERATIONS], 0);
	for (struct retry_key *k = r.keys; k; k = k->hh.next)
		k->failures = 1;
	assert_null(retry_key_get(&r, RETRY_OF_REQUEST, "p:1", "GET /", 2000000, 0));
	assert_int_equal(counters.limit[LIMIT_REACHED_OPERATIONS], 1);
	retry_keys_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_hash),
		cmocka_unit_test(test_text_leaves_the_query_out),
		cmocka_unit_test(test_same_key),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
