/* What gRPC answers mean: every status code, what stands for one that is missing, RetryInfo, messages that cannot be read. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/grpc_answer.h"
#include "exporters/gzip.h"

static void put(struct grpc_answer *a, const char *name, const char *value)
{
	grpc_answer_header(a, name, strlen(name), value, strlen(value));
}

/* Status{code, details: [Any{RetryInfo{seconds, nanos}}]} as base64 without padding: made with the Python package grpcio-status. */
static const char retry_2500_ms[] = "CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ";

static void every_code(void **state)
{
	(void)state;
	static const unsigned int retried[] = {1, 4, 10, 11, 14, 15};
	for (unsigned int code = 1; code <= 17; code++) {
		struct grpc_answer a = {0};
		struct otlp_reply reply;
		char text[8];
		bool want = false;
		snprintf(text, sizeof text, "%u", code);
		put(&a, ":status", "200");
		put(&a, "grpc-status", text);
		put(&a, "grpc-message", "no\nmore");
		for (size_t i = 0; i < sizeof retried / sizeof *retried; i++)
			want = want || retried[i] == code;
		grpc_answer_judge(&a, &reply);
		assert_int_equal(reply.verdict, want ? OTLP_RETRY : OTLP_REFUSED);
		assert_int_equal(reply.retry_after_ms, 0);
		assert_non_null(strstr(reply.why, "gRPC status"));
		assert_null(strchr(reply.why, '\n'));
		grpc_answer_done(&a);
	}
}

static void retry_info(void **state)
{
	(void)state;
	static const struct {
		const char *status, *details;
		enum otlp_verdict verdict;
		uint64_t ms;
	} cases[] = {
		{"8", retry_2500_ms, OTLP_RETRY, 2500}, {"14", retry_2500_ms, OTLP_RETRY, 2500},
		{"3", retry_2500_ms, OTLP_REFUSED, 0},  {"8", "", OTLP_REFUSED, 0},
		{"8", "%%%", OTLP_REFUSED, 0},          {"8", "AAAA", OTLP_REFUSED, 0},
		{"14", "CAg=", OTLP_RETRY, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_answer a = {0};
		struct otlp_reply reply;
		put(&a, "grpc-status", cases[i].status);
		put(&a, "grpc-status-details-bin", cases[i].details);
		grpc_answer_judge(&a, &reply);
		assert_int_equal(reply.verdict, cases[i].verdict);
		assert_int_equal(reply.retry_after_ms, cases[i].ms);
	}
}

static void without_a_status(void **state)
{
	(void)state;
	static const struct {
		const char *http;
		uint32_t reset;
		enum otlp_verdict verdict;
	} cases[] = {
		{"429", 0, OTLP_RETRY},   {"503", 0, OTLP_RETRY},   {"502", 0, OTLP_RETRY},   {"504", 0, OTLP_RETRY},
		{"400", 0, OTLP_REFUSED}, {"404", 0, OTLP_REFUSED}, {"500", 0, OTLP_REFUSED}, {NULL, 7, OTLP_RETRY},
		{"200", 8, OTLP_RETRY},   {"200", 0, OTLP_REFUSED}, {"200", 2, OTLP_REFUSED}, {NULL, 11, OTLP_REFUSED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_answer a = {.reset = cases[i].reset};
		struct otlp_reply reply;
		if (cases[i].http != NULL)
			put(&a, ":status", cases[i].http);
		grpc_answer_judge(&a, &reply);
		assert_int_equal(reply.verdict, cases[i].verdict);
	}
}

static void statuses_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "99", "-1", "0x", "zero", "00000000000000000"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct grpc_answer a = {0};
		struct otlp_reply reply;
		put(&a, "grpc-status", bad[i]);
		grpc_answer_judge(&a, &reply);
		assert_int_equal(reply.verdict, i == 5 ? OTLP_TAKEN : OTLP_REFUSED); /* many zeros are zero */
	}
}

static struct otlp_reply with_body(const char *encoding, const void *body, size_t len)
{
	struct grpc_answer a = {0};
	struct otlp_reply reply;
	put(&a, ":status", "200");
	if (encoding != NULL)
		put(&a, "grpc-encoding", encoding);
	assert_int_equal(grpc_answer_body(&a, body, len), 0);
	put(&a, "grpc-status", "0");
	grpc_answer_judge(&a, &reply);
	grpc_answer_done(&a);
	return reply;
}

static void messages(void **state)
{
	(void)state;
	assert_int_equal(with_body(NULL, "", 0).verdict, OTLP_TAKEN);
	assert_int_equal(with_body(NULL, "\0\0\0\0\2\x0a\0", 7).verdict, OTLP_TAKEN); /* as the Collector says it */
	struct otlp_reply reply = with_body(NULL, "\0\0\0\0\4\x0a\2\x08\3", 9);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	assert_int_equal(reply.rejected, 3);
	const struct bytes plain = {.data = (uint8_t *)"\x0a\2\x08\3", .len = 4};
	struct bytes packed;
	assert_int_equal(gzip_pack(&plain, &packed), 0);
	uint8_t framed[128] = {1, 0, 0, 0, (uint8_t)packed.len};
	memcpy(framed + 5, packed.data, packed.len);
	reply = with_body("gzip", framed, packed.len + 5);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	assert_int_equal(reply.rejected, 3);
	free(packed.data);
	/* cut, longer than it says, compressed in an unknown way, broken */
	assert_int_equal(with_body(NULL, "\0\0\0", 3).verdict, OTLP_REFUSED);
	assert_int_equal(with_body(NULL, "\0\xff\xff\xff\xff\1", 6).verdict, OTLP_REFUSED);
	assert_int_equal(with_body(NULL, framed, packed.len + 5).verdict, OTLP_REFUSED);
	assert_int_equal(with_body("gzip", "\1\0\0\0\3abc", 8).verdict, OTLP_REFUSED);
}

static void an_endless_body(void **state)
{
	(void)state;
	struct grpc_answer a = {0};
	size_t len = 1U << 20;
	uint8_t *data = calloc(1, len);
	for (int i = 0; i < 4; i++)
		assert_int_equal(grpc_answer_body(&a, data, len), 0);
	assert_true(grpc_answer_body(&a, data, len) < 0);
	grpc_answer_done(&a);
	free(data);
}

TEST_MAIN(cmocka_unit_test(every_code), cmocka_unit_test(retry_info), cmocka_unit_test(without_a_status),
	  cmocka_unit_test(statuses_that_are_none), cmocka_unit_test(messages), cmocka_unit_test(an_endless_body))
