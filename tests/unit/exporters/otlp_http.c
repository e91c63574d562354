/* One post: what each answer means, what is sent, and an end that does not wait. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "exporters/otlp_transport.h"
#include "exporters/receiver.h"

static const struct bytes body = {.data = (uint8_t *)"hello", .len = 5};

static struct otlp_reply post_to(struct receiver *r, struct otlp_signal s)
{
	void *h;
	struct otlp_reply reply;
	s.url = (char *)receiver_url(r);
	assert_int_equal(otlp_over_http.open(&s, &h), 0);
	otlp_over_http.post(h, &body, 60000, &reply);
	otlp_over_http.close(h);
	return reply;
}

static struct otlp_reply post(const struct answer *a)
{
	struct receiver *r = receiver_new(a, 1);
	struct otlp_reply reply = post_to(r, (struct otlp_signal){0});
	receiver_free(r);
	return reply;
}

static void what_answers_mean(void **state)
{
	(void)state;
	static const struct {
		struct answer answer;
		enum otlp_verdict verdict;
		uint64_t retry_after_ms;
	} cases[] = {
		{{.status = 200}, OTLP_TAKEN, 0},
		{{.status = 202}, OTLP_TAKEN, 0},
		{{.status = 429, .headers = "Retry-After: 2\r\n"}, OTLP_RETRY, 2000},
		{{.status = 503, .headers = "Retry-After: 99999\r\n"}, OTLP_RETRY, 3600000},
		{{.status = 502}, OTLP_RETRY, 0},
		{{.status = 504}, OTLP_RETRY, 0},
		{{.status = 400, .body = "not a Status", .body_len = 12}, OTLP_REFUSED, 0},
		{{.status = 401}, OTLP_REFUSED, 0},
		{{.status = 408}, OTLP_REFUSED, 0},
		{{.status = 413}, OTLP_REFUSED, 0},
		{{.status = 500, .headers = "Retry-After: 2\r\n"}, OTLP_REFUSED, 0},
		{{.status = 301, .headers = "Location: http://127.0.0.1:1/\r\n"}, OTLP_REFUSED, 0},
		{{.how = ANSWER_RESET}, OTLP_RETRY, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct otlp_reply reply = post(&cases[i].answer);
		assert_int_equal(reply.verdict, cases[i].verdict);
		assert_int_equal(reply.retry_after_ms, cases[i].retry_after_ms);
		assert_int_equal(reply.why[0] == '\0', cases[i].verdict == OTLP_TAKEN);
	}
}

static void retry_after_as_a_date(void **state)
{
	(void)state;
	char header[80];
	time_t then = time(NULL) + 60;
	strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&then));
	const struct answer a = {.status = 429, .headers = header};
	struct otlp_reply reply = post(&a);
	assert_true(reply.retry_after_ms >= 55000 && reply.retry_after_ms <= 61000);
}

static void partial_success(void **state)
{
	(void)state;
	const struct answer a = {.body = "\x0a\x02\x08\x03", .body_len = 4};
	struct otlp_reply reply = post(&a);
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	assert_int_equal(reply.rejected, 3);
}

static void an_endless_answer_is_cut(void **state)
{
	(void)state;
	size_t len = OTLP_RESPONSE_MAX + 1;
	char *big = calloc(1, len);
	const struct answer a = {.body = big, .body_len = len};
	struct otlp_reply reply = post(&a);
	assert_int_equal(reply.verdict, OTLP_REFUSED);
	free(big);
}

static void nobody_listens(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	char url[64];
	strcpy(url, receiver_url(r));
	receiver_free(r); /* its port is closed now */
	struct otlp_signal s = {.url = url};
	void *h;
	struct otlp_reply reply;
	assert_int_equal(otlp_over_http.open(&s, &h), 0);
	otlp_over_http.post(h, &body, 60000, &reply);
	assert_int_equal(reply.verdict, OTLP_RETRY);
	assert_true(strlen(reply.why) > 0);
	otlp_over_http.close(h);
}

static void silence_ends_at_the_timeout(void **state)
{
	(void)state;
	const struct answer a = {.how = ANSWER_NONE};
	struct receiver *r = receiver_new(&a, 1);
	struct otlp_signal s = {.url = (char *)receiver_url(r)};
	void *h;
	struct otlp_reply reply;
	assert_int_equal(otlp_over_http.open(&s, &h), 0);
	otlp_over_http.post(h, &body, 100, &reply);
	assert_int_equal(reply.verdict, OTLP_RETRY);
	otlp_over_http.close(h);
	receiver_free(r);
}

static void what_is_sent(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	void *h;
	struct otlp_reply reply;
	struct otlp_signal s = {
		.url = (char *)receiver_url(r), .headers = {(char *)"api-key: secret", (char *)"empty;"}, .headers_n = 2};
	assert_int_equal(otlp_over_http.open(&s, &h), 0);
	otlp_over_http.post(h, &body, 60000, &reply);
	otlp_over_http.post(h, &body, 60000, &reply);
	otlp_over_http.close(h);
	assert_int_equal(receiver_wait(r, 2), 2);
	const struct received *got = receiver_got(r, 0);
	assert_int_equal(strncmp(got->head, "POST / HTTP/1.1\r\n", 17), 0);
	assert_non_null(strstr(got->head, "Content-Type: application/x-protobuf\r\n"));
	assert_non_null(strstr(got->head, "OTel-OTLP-Exporter-C/"));
	assert_non_null(strstr(got->head, "api-key: secret\r\n"));
	assert_non_null(strstr(got->head, "empty:\r\n"));
	assert_null(strstr(got->head, "Expect"));
	assert_null(strstr(got->head, "Content-Encoding"));
	assert_memory_equal(got->body, "hello", 5);
	/* kept alive */
	assert_int_equal(receiver_got(r, 1)->connection, got->connection);
	receiver_free(r);
}

static void gzip(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	struct otlp_reply reply = post_to(r, (struct otlp_signal){.gzip = true});
	assert_int_equal(reply.verdict, OTLP_TAKEN);
	assert_int_equal(receiver_wait(r, 1), 1);
	const struct received *got = receiver_got(r, 0);
	assert_non_null(strstr(got->head, "Content-Encoding: gzip\r\n"));
	char plain[16];
	z_stream z = {.next_in = got->body, .avail_in = (uInt)got->body_len, .next_out = (Bytef *)plain, .avail_out = sizeof plain};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, 5);
	assert_memory_equal(plain, "hello", 5);
	inflateEnd(&z);
	receiver_free(r);
}

static void *abort_after_arrival(void *arg)
{
	void **both = arg;
	receiver_wait(both[0], 1);
	otlp_over_http.abort(both[1]);
	return NULL;
}

static void abort_is_at_once(void **state)
{
	(void)state;
	const struct answer a = {.how = ANSWER_NONE};
	struct receiver *r = receiver_new(&a, 1);
	struct otlp_signal s = {.url = (char *)receiver_url(r)};
	void *h;
	struct otlp_reply reply;
	pthread_t thread;
	assert_int_equal(otlp_over_http.open(&s, &h), 0);
	void *both[] = {r, h};
	assert_int_equal(pthread_create(&thread, NULL, abort_after_arrival, both), 0);
	otlp_over_http.post(h, &body, 0, &reply); /* without a limit: only the abort can end it */
	assert_int_equal(reply.verdict, OTLP_ABORTED);
	pthread_join(thread, NULL);
	otlp_over_http.close(h);
	receiver_free(r);
}

TEST_MAIN(cmocka_unit_test(what_answers_mean), cmocka_unit_test(retry_after_as_a_date), cmocka_unit_test(partial_success),
	  cmocka_unit_test(an_endless_answer_is_cut), cmocka_unit_test(nobody_listens),
	  cmocka_unit_test(silence_ends_at_the_timeout), cmocka_unit_test(what_is_sent), cmocka_unit_test(gzip),
	  cmocka_unit_test(abort_is_at_once))
