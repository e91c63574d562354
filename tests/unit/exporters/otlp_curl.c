/* What both transports take from libcurl: a transfer that ends, one that is aborted, and what failures mean. */
#include "test.h"

#include <string.h>

#include "exporters/otlp_curl.h"
#include "exporters/receiver.h"

static void a_connection_alone_stays(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	const struct otlp_signal s = {.url = (char *)receiver_url(r)};
	struct otlp_curl c;
	CURLcode code;
	curl_socket_t fd = CURL_SOCKET_BAD;
	assert_int_equal(otlp_curl_init(&c, &s), 0);
	curl_easy_setopt(c.easy, CURLOPT_CONNECT_ONLY, 1L);
	assert_true(otlp_curl_run(&c, &code));
	assert_int_equal(code, CURLE_OK);
	assert_int_equal(curl_easy_getinfo(c.easy, CURLINFO_ACTIVESOCKET, &fd), CURLE_OK);
	assert_true(fd != CURL_SOCKET_BAD);
	otlp_curl_done(&c);
	receiver_free(r);
}

static void aborted_beforehand(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	const struct otlp_signal s = {.url = (char *)receiver_url(r)};
	struct otlp_curl c;
	CURLcode code;
	assert_int_equal(otlp_curl_init(&c, &s), 0);
	otlp_curl_abort(&c);
	assert_true(otlp_curl_aborted(&c));
	assert_false(otlp_curl_run(&c, &code));
	otlp_curl_done(&c);
	receiver_free(r);
}

static void what_failures_mean(void **state)
{
	(void)state;
	const struct otlp_signal s = {.url = (char *)"http://127.0.0.1:1"};
	struct otlp_curl c;
	struct otlp_reply reply = {0};
	assert_int_equal(otlp_curl_init(&c, &s), 0);
	static const struct {
		CURLcode code;
		enum otlp_verdict verdict;
	} cases[] = {
		{CURLE_COULDNT_CONNECT, OTLP_RETRY},   {CURLE_OPERATION_TIMEDOUT, OTLP_RETRY},
		{CURLE_RECV_ERROR, OTLP_RETRY},        {CURLE_BAD_CONTENT_ENCODING, OTLP_REFUSED},
		{CURLE_SSL_CERTPROBLEM, OTLP_REFUSED}, {CURLE_PEER_FAILED_VERIFICATION, OTLP_REFUSED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		otlp_curl_judge(&c, cases[i].code, &reply);
		assert_int_equal(reply.verdict, cases[i].verdict);
		assert_true(strlen(reply.why) > 0);
	}
	otlp_curl_done(&c);
}

TEST_MAIN(cmocka_unit_test(a_connection_alone_stays), cmocka_unit_test(aborted_beforehand), cmocka_unit_test(what_failures_mean))
