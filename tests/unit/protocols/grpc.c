/* How a call of gRPC is named, and how it ended. */
#include "protocols/grpc.h"

#include <string.h>

#include "model/model.h"
#include "test.h"

#define SECOND 1000000000ULL

static struct request call(void)
{
	struct request r = {.path = "/shop.Cart/Get", .t_start = SECOND, .area = AREA_HTTP};

	grpc_name(&r);
	return r;
}

static void named_by_its_path(void **state)
{
	struct request r = call();

	(void)state;
	assert_int_equal(r.area, AREA_RPC);
	assert_string_equal(r.system, "grpc");
	assert_string_equal(r.target, "shop.Cart/Get");
	assert_string_equal(r.summary, r.target);
}

static void statuses(void **state)
{
	static const struct {
		int status;
		const char *name;
		bool failed, transient;
	} rows[] = {
		{0, "OK", false, false},         {1, "CANCELLED", true, false},        {4, "DEADLINE_EXCEEDED", true, true},
		{14, "UNAVAILABLE", true, true}, {16, "UNAUTHENTICATED", true, false}, {17, "UNKNOWN", true, false},
		{-1, "UNKNOWN", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = call();
		grpc_status(&r, rows[i].status);
		assert_string_equal(r.status_text, rows[i].name);
		assert_int_equal(r.failed, rows[i].failed);
		assert_int_equal(r.transient, rows[i].transient);
	}
}

/* A status makes a call of what only its trailers show to be one. */
static void known_by_its_trailers(void **state)
{
	struct request r = {.path = "/shop.Cart/Get", .area = AREA_HTTP};

	(void)state;
	grpc_status(&r, 5);
	assert_int_equal(r.area, AREA_RPC);
	assert_string_equal(r.target, "shop.Cart/Get");
}

static void resets(void **state)
{
	static const struct {
		uint32_t code;
		bool by_client;
		int64_t deadline_ns;
		uint64_t after_ns;
		const char *name;
	} rows[] = {
		{8, true, 0, SECOND, "CANCELLED"},
		{8, true, SECOND, SECOND / 2, "CANCELLED"},
		{8, true, SECOND, SECOND, "DEADLINE_EXCEEDED"},
		{0, true, 0, SECOND, "CANCELLED"},
		{8, false, SECOND, 2 * SECOND, "CANCELLED"},
		{7, false, 0, 0, "UNAVAILABLE"},
		{11, false, 0, 0, "RESOURCE_EXHAUSTED"},
		{12, false, 0, 0, "PERMISSION_DENIED"},
		{0, false, 0, 0, "INTERNAL"},
		{2, true, 0, 0, "INTERNAL"},
		{0xffffffff, false, 0, 0, "INTERNAL"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request r = call();
		r.deadline_ns = rows[i].deadline_ns;
		grpc_reset(&r, rows[i].code, rows[i].by_client, r.t_start + rows[i].after_ns);
		assert_string_equal(r.status_text, rows[i].name);
		assert_true(r.failed);
	}
}

TEST_MAIN(cmocka_unit_test(named_by_its_path), cmocka_unit_test(statuses), cmocka_unit_test(known_by_its_trailers),
	  cmocka_unit_test(resets))
