/* Header fields of HTTP/2. */
#include "protocols/http2_field.h"

#include <string.h>

#include "test.h"

static void field(struct http2_block *b, const char *name, const char *value)
{
	http2_field(b, (const uint8_t *)name, strlen(name), (const uint8_t *)value, strlen(value));
}

static void a_request(void **state)
{
	struct http2_block b = {.grpc_status = -1};

	(void)state;
	field(&b, ":method", "GET");
	field(&b, ":path", "/a");
	field(&b, ":authority", "shop:443");
	field(&b, "host", "other");
	assert_true(b.has_method && !b.grpc);
	assert_string_equal(b.head.method, "GET");
	assert_string_equal(b.head.path, "/a");
	assert_string_equal(b.head.host, "shop:443");
	field(&b, ":path", "");
	assert_string_equal(b.head.path, "/a");
}

static void an_answer(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {{"200", 200}, {"999", 999}, {"99", 0}, {"1000", 0}, {"20x", 0}, {"", 0}, {"00000200", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http2_block b = {.grpc_status = -1};

		field(&b, ":status", rows[i].text);
		assert_int_equal(b.head.status, rows[i].status);
		assert_false(b.has_method);
	}
}

static void grpc(void **state)
{
	struct http2_block b = {.grpc_status = -1}, other = {.grpc_status = -1};

	(void)state;
	field(&b, "content-type", "application/grpc+proto");
	assert_true(b.grpc && b.grpc_status == -1);
	field(&b, "grpc-status", "14");
	assert_int_equal(b.grpc_status, 14);
	field(&other, "content-type", "application/json");
	assert_false(other.grpc);
	field(&other, "grpc-status", "x");
	assert_true(other.grpc && other.grpc_status == -1);
}

TEST_MAIN(cmocka_unit_test(a_request), cmocka_unit_test(an_answer), cmocka_unit_test(grpc))
