/* Calls over gRPC: what is sent, what each fault means, a connection that is kept, and an end that does not wait. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "exporters/grpc_receiver.h"
#include "exporters/gzip.h"
#include "exporters/otlp_transport.h"

static const struct bytes body = {.data = (uint8_t *)"hello", .len = 5};

static void what_answers_mean(void **state)
{
	(void)state;
	size_t big_len = OTLP_RESPONSE_MAX + 100;
	char *big = calloc(1, big_len);
	const struct {
		struct grpc_script script;
		enum otlp_verdict verdict;
		uint64_t rejected, retry_after_ms;
	} cases[] = {
		{{.body = "\0\0\0\0\2\x0a\0", .body_len = 7}, OTLP_TAKEN, 0, 0},
		{{.status = NULL}, OTLP_TAKEN, 0, 0}, /* trailers only */
		{{.body = "\0\0\0\0\4\x0a\2\x08\3", .body_len = 9}, OTLP_TAKEN, 3, 0},
		{{.status = "14"}, OTLP_RETRY, 0, 0},
		{{.status = "3"}, OTLP_REFUSED, 0, 0},
		{{.status = "8"}, OTLP_REFUSED, 0, 0},
		{{.status = "8", .details = "CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ"},
		 OTLP_RETRY,
		 0,
		 2500},
		{{.body = "\1\0\0\0\3abc", .body_len = 8, .encoding = "gzip"}, OTLP_REFUSED, 0, 0}, /* bad gzip */
		{{.body = big, .body_len = big_len}, OTLP_REFUSED, 0, 0},
		{{.how = GRPC_RST, .code = NGHTTP2_REFUSED_STREAM}, OTLP_RETRY, 0, 0},
		{{.how = GRPC_RST, .code = NGHTTP2_INTERNAL_ERROR}, OTLP_REFUSED, 0, 0},
		{{.how = GRPC_TCP_RESET, .body = big, .body_len = 100000}, OTLP_RETRY, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_receiver *r = grpc_receiver_new(&cases[i].script, 1);
		const struct otlp_signal s = {.url = (char *)grpc_receiver_url(r), .protocol = OTLP_GRPC};
		struct otlp_reply reply;
		void *g;
		assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
		otlp_over_grpc.post(g, &body, 60000, &reply);
		assert_int_equal(reply.verdict, cases[i].verdict);
		assert_int_equal(reply.rejected, cases[i].rejected);
		assert_int_equal(reply.retry_after_ms, cases[i].retry_after_ms);
		assert_int_equal(reply.why[0] == '\0', cases[i].verdict == OTLP_TAKEN);
		/* whatever it was, the next call is a new beginning */
		otlp_over_grpc.post(g, &body, 60000, &reply);
		assert_int_equal(reply.verdict, OTLP_TAKEN);
		otlp_over_grpc.close(g);
		grpc_receiver_free(r);
	}
	free(big);
}

static void what_is_sent(void **state)
{
	(void)state;
	struct grpc_receiver *r = grpc_receiver_new(NULL, 0);
	const struct otlp_signal s = {.url = (char *)grpc_receiver_url(r),
				      .kind = EXPORT_METRICS,
				      .protocol = OTLP_GRPC,
				      .headers = {(char *)"Api-Key: secret", (char *)"empty;"},
				      .headers_n = 2};
	struct otlp_reply reply;
	void *g;
	assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
	for (int i = 0; i < 3; i++) {
		otlp_over_grpc.post(g, &body, 60000, &reply);
		assert_int_equal(reply.verdict, OTLP_TAKEN);
	}
	otlp_over_grpc.close(g);
	const struct grpc_call *got = grpc_receiver_got(r, 0);
	static const char *const lines[] = {":method: POST\n",
					    ":scheme: http\n",
					    ":path: /opentelemetry.proto.collector.metrics.v1.MetricsService/Export\n",
					    ":authority: 127.0.0.1:",
					    "te: trailers\n",
					    "content-type: application/grpc\n",
					    "OTel-OTLP-Exporter-C/",
					    "api-key: secret\n",
					    "empty: \n",
					    "grpc-timeout: 60000m\n"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_non_null(strstr(got->headers, lines[i]));
	assert_null(strstr(got->headers, "grpc-encoding"));
	assert_int_equal(got->body_len, 10);
	assert_memory_equal(got->body, "\0\0\0\0\5hello", 10);
	assert_int_equal(grpc_receiver_got(r, 2)->connection, got->connection); /* kept alive */
	grpc_receiver_free(r);
}

static void large_and_gzipped(void **state)
{
	(void)state;
	struct grpc_receiver *r = grpc_receiver_new(NULL, 0);
	const struct otlp_signal s = {.url = (char *)grpc_receiver_url(r), .protocol = OTLP_GRPC, .gzip = true};
	const struct otlp_signal clear = {.url = (char *)grpc_receiver_url(r), .protocol = OTLP_GRPC};
	struct bytes large = {.data = malloc(3U << 20), .len = 3U << 20}, out;
	struct otlp_reply reply;
	void *g;
	for (size_t i = 0; i < large.len; i++)
		large.data[i] = (uint8_t)(i * 2654435761U >> 13);
	assert_int_equal(otlp_over_grpc.open(&clear, &g), 0);
	otlp_over_grpc.post(g, &large, 20000, &reply); /* many times the flow-control window */
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	otlp_over_grpc.close(g);
	assert_int_equal(grpc_receiver_got(r, 0)->body_len, large.len + 5);
	assert_memory_equal(grpc_receiver_got(r, 0)->body + 5, large.data, large.len);
	assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
	otlp_over_grpc.post(g, &large, 20000, &reply);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	otlp_over_grpc.close(g);
	const struct grpc_call *got = grpc_receiver_got(r, 1);
	assert_non_null(strstr(got->headers, "grpc-encoding: gzip\n"));
	assert_int_equal(got->body[0], 1);
	const struct bytes packed = {.data = got->body + 5, .len = got->body_len - 5};
	assert_int_equal(gzip_unpack(&packed, large.len, &out), 0);
	assert_int_equal(out.len, large.len);
	assert_memory_equal(out.data, large.data, large.len);
	free(out.data);
	free(large.data);
	grpc_receiver_free(r);
}

static void a_connection_that_was_closed_is_made_anew(void **state)
{
	(void)state;
	static const struct grpc_script script[] = {{.how = GRPC_GOAWAY}};
	struct grpc_receiver *r = grpc_receiver_new(script, 1);
	const struct otlp_signal s = {.url = (char *)grpc_receiver_url(r), .protocol = OTLP_GRPC};
	struct otlp_reply reply;
	void *g;
	assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
	otlp_over_grpc.post(g, &body, 60000, &reply);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	otlp_over_grpc.post(g, &body, 60000, &reply);
	if (reply.verdict == OTLP_RETRY) /* it crossed the closing */
		otlp_over_grpc.post(g, &body, 60000, &reply);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	assert_int_not_equal(grpc_receiver_got(r, 0)->connection, grpc_receiver_got(r, grpc_receiver_wait(r, 1) - 1)->connection);
	otlp_over_grpc.close(g);
	grpc_receiver_free(r);
}

static void silence_and_nobody(void **state)
{
	(void)state;
	static const struct grpc_script script[] = {{.how = GRPC_SILENCE}};
	struct grpc_receiver *r = grpc_receiver_new(script, 1);
	char url[64];
	strcpy(url, grpc_receiver_url(r));
	const struct otlp_signal s = {.url = url, .protocol = OTLP_GRPC};
	struct otlp_reply reply;
	void *g;
	assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
	otlp_over_grpc.post(g, &body, 100, &reply);
	assert_int_equal(reply.verdict, OTLP_RETRY);
	assert_string_equal(reply.why, "no answer in time");
	grpc_receiver_free(r); /* its port is closed now */
	otlp_over_grpc.post(g, &body, 60000, &reply);
	assert_int_equal(reply.verdict, OTLP_RETRY);
	assert_true(reply.why[0] != '\0');
	otlp_over_grpc.close(g);
}

static void *abort_after_arrival(void *arg)
{
	void **both = arg;
	grpc_receiver_wait(both[0], 1);
	otlp_over_grpc.abort(both[1]);
	return NULL;
}

static void abort_is_at_once(void **state)
{
	(void)state;
	static const struct grpc_script script[] = {{.how = GRPC_SILENCE}};
	struct grpc_receiver *r = grpc_receiver_new(script, 1);
	const struct otlp_signal s = {.url = (char *)grpc_receiver_url(r), .protocol = OTLP_GRPC};
	struct otlp_reply reply;
	pthread_t thread;
	void *g;
	assert_int_equal(otlp_over_grpc.open(&s, &g), 0);
	void *both[] = {r, g};
	assert_int_equal(pthread_create(&thread, NULL, abort_after_arrival, both), 0);
	otlp_over_grpc.post(g, &body, 0, &reply); /* without a limit: only the abort can end it */
	assert_int_equal(reply.verdict, OTLP_ABORTED);
	otlp_over_grpc.post(g, &body, 0, &reply);
	assert_int_equal(reply.verdict, OTLP_ABORTED);
	pthread_join(thread, NULL);
	otlp_over_grpc.close(g);
	grpc_receiver_free(r);
}

TEST_MAIN(cmocka_unit_test(what_answers_mean), cmocka_unit_test(what_is_sent), cmocka_unit_test(large_and_gzipped),
	  cmocka_unit_test(a_connection_that_was_closed_is_made_anew), cmocka_unit_test(silence_and_nobody),
	  cmocka_unit_test(abort_is_at_once))
