/*
 * What a repeated request may do twice, by method, header and path.
 */
#include "detectors/retry.h"
#include "detectors/rig.h"

static bool repeats(enum request_area area, const char *method, const char *path, bool key, bool reads)
{
	static struct request q;

	q = (struct request){.area = area, .idempotency_key = key, .reads = reads};
	snprintf(q.method, sizeof q.method, "%s", method);
	snprintf(q.path, sizeof q.path, "%s", path);
	return retry_repeats_work(&q);
}

static void test_methods(void **state)
{
	static const char *const safe[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "_OTHER"};

	(void)state;
	for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
		assert_false(repeats(AREA_HTTP, safe[i], "/orders", false, false));
	assert_true(repeats(AREA_HTTP, "POST", "/orders", false, false));
	assert_true(repeats(AREA_HTTP, "PATCH", "/orders/17", false, false));
	assert_false(repeats(AREA_HTTP, "POST", "/orders", true, false));
	assert_false(repeats(AREA_HTTP, "POST", "/", false, true));
	assert_false(repeats(AREA_RPC, "POST", "/orders", false, false));
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		bool repeats;
	} rows[] = {
		{"/shop/_search", false},
		{"/_msearch", false},
		{"/shop/_count", false},
		{"/v1/shops/3/orders:search", false},
		{"/v1/documents:batchGet", false},
		{"/shop/_bulk", true},
		{"/shop/_doc", true},
		{"/shop/_search/template", true},
		{"/v1/orders:cancel", true},
		{"/search", true},
		{"/a:list/b", true},
		{"_search", true},
		{"", true},
		{"/", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(repeats(AREA_HTTP, "POST", rows[i].path, false, false), rows[i].repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_methods), cmocka_unit_test(test_paths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
