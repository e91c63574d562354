/* The fields that matter of an HTTP head: their names, and what is believed of their values. */
#include "test.h"

#include <string.h>

#include "protocols/http1_head.h"

/* Each name that the table has is found, whatever its length and case. */
static void every_name_is_found(void **state)
{
	static const struct {
		const char *name, *value;
		size_t offset;
	} fields[] = {
		{"Host", "a", offsetof(struct http1_head, host)},
		{"Content-Length", "7", offsetof(struct http1_head, has_length)},
		{"Transfer-Encoding", "chunked", offsetof(struct http1_head, chunked)},
		{"traceparent", "00-1", offsetof(struct http1_head, traceparent)},
		{"grpc-timeout", "1n", offsetof(struct http1_head, deadline_ns)},
		{"X-Envoy-Expected-Rq-Timeout-Ms", "9", offsetof(struct http1_head, deadline_ns)},
		{"Upgrade", "h2c", offsetof(struct http1_head, upgrade)},
		{"Expect", "100-Continue", offsetof(struct http1_head, expects)},
		{"ACCEPT", "text/event-stream", offsetof(struct http1_head, waits)},
		{"prefer", "wait=5", offsetof(struct http1_head, waits)},
		{"Idempotency-Key", "a", offsetof(struct http1_head, idempotency_key)},
		{"X-Idempotency-Key", "a", offsetof(struct http1_head, idempotency_key)},
		{"Idempotency-Token", "a", offsetof(struct http1_head, idempotency_key)},
		{"X-Idempotency-Token", "a", offsetof(struct http1_head, idempotency_key)},
		{"X-Amz-Client-Token", "a", offsetof(struct http1_head, idempotency_key)},
		{"PayPal-Request-Id", "a", offsetof(struct http1_head, idempotency_key)},
		{"X-Amz-Target", "DynamoDB_20120810.GetItem", offsetof(struct http1_head, reads)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct http1_head h = {0};

		http1_head_field(&h, (const uint8_t *)fields[i].name, strlen(fields[i].name), (const uint8_t *)fields[i].value,
				 strlen(fields[i].value), 0);
		if (((const uint8_t *)&h)[fields[i].offset] == 0)
			fail_msg("%s was not found", fields[i].name);
	}

	struct http1_head h = {.retry_after_ns = -1};
	http1_head_field(&h, (const uint8_t *)"Retry-After", 11, (const uint8_t *)"2", 1, 0);
	assert_int_equal(h.retry_after_ns, 2000000000);
}

static void actions_that_read(void **state)
{
	static const struct {
		const char *action;
		bool reads;
	} rows[] = {
		{"DynamoDB_20120810.GetItem", true},
		{"DynamoDB_20120810.Query", true},
		{"AmazonSSM.DescribeParameters", true},
		{"ListTables", true},
		{"DynamoDB_20120810.PutItem", false},
		{"AmazonSQS.SendMessage", false},
		{"X.Getaway", false},
		{"X.", false},
		{".", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http1_head h = {0};
		http1_head_field(&h, (const uint8_t *)"x-amz-target", 12, (const uint8_t *)rows[i].action, strlen(rows[i].action),
				 0);
		assert_int_equal(h.reads, rows[i].reads);
	}
}

static void attempts_that_are_numbered(void **state)
{
	static const struct {
		const char *name, *value;
		uint8_t attempt;
	} rows[] = {
		{"grpc-previous-rpc-attempts", "2", 3},    {"Grpc-Previous-Rpc-Attempts", "", 0},
		{"grpc-previous-rpc-attempts", "-1", 0},   {"grpc-previous-rpc-attempts", "999999999", 255},
		{"x-stainless-retry-count", "0", 1},       {"amz-sdk-request", "attempt=1; max=3", 1},
		{"amz-sdk-request", "attempt=12", 12},     {"amz-sdk-request", "ttl=20260101T000000Z; attempt=1", 0},
		{"amz-sdk-request", "attempt=; max=3", 0}, {"amz-sdk-request", "attempt=4000", 255},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http1_head h = {0};
		http1_head_field(&h, (const uint8_t *)rows[i].name, strlen(rows[i].name), (const uint8_t *)rows[i].value,
				 strlen(rows[i].value), 0);
		assert_int_equal(h.attempt, rows[i].attempt);
	}
	struct http1_head h = {.retry_after_ns = -1};
	http1_head_field(&h, (const uint8_t *)"grpc-retry-pushback-ms", 22, (const uint8_t *)"-1", 2, 0);
	assert_int_equal(h.retry_after_ns, -1);
	http1_head_field(&h, (const uint8_t *)"grpc-retry-pushback-ms", 22, (const uint8_t *)"700", 3, 0);
	assert_int_equal(h.retry_after_ns, 700000000);
}

TEST_MAIN(cmocka_unit_test(every_name_is_found), cmocka_unit_test(actions_that_read), cmocka_unit_test(attempts_that_are_numbered))
