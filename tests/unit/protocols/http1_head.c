/* Heads of HTTP/1.x: start lines, targets, the fields that matter, and what is ambiguous. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocols/http1_head.h"

static int parse(const char *text, bool request, struct http1_head *h)
{
	memset(h, 'x', sizeof(*h)); /* whatever was there before */
	return http1_head_parse((const uint8_t *)text, strlen(text), request, true, UINT64_C(784111777) * 1000000000, h);
}

static void request_targets(void **state)
{
	static const struct {
		const char *line, *method, *path, *query, *host;
	} rows[] = {
		{"GET / HTTP/1.1", "GET", "/", "", ""},
		{"GET /a/b?x=1&y=?z HTTP/1.1", "GET", "/a/b", "x=1&y=?z", ""},
		{"OPTIONS * HTTP/1.1", "OPTIONS", "*", "", ""},
		{"GET http://h:81/p?q HTTP/1.1", "GET", "/p", "q", "h:81"},
		{"GET http://h HTTP/1.0", "GET", "/", "", "h"},
		{"GET http://h?q HTTP/1.0", "GET", "/", "q", "h"},
		{"CONNECT h:443 HTTP/1.1", "CONNECT", "", "", "h:443"},
		{"BREW /pot HTTP/1.1", "_OTHER", "/pot", "", ""},
		{"get /low HTTP/1.1", "_OTHER", "/low", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http1_head h;
		char text[256];
		snprintf(text, sizeof(text), "%s\r\n\r\n", rows[i].line);
		assert_int_equal(parse(text, true, &h), 0);
		assert_string_equal(h.method, rows[i].method);
		assert_string_equal(h.path, rows[i].path);
		assert_string_equal(h.query, rows[i].query);
		assert_string_equal(h.host, rows[i].host);
		assert_false(h.ambiguous);
	}
}

static void no_start_lines(void **state)
{
	static const char *const requests[] = {"GET /\r\n\r\n",
					       "GET / HTTP/2.0\r\n\r\n",
					       "GET / HTTP/1.x\r\n\r\n",
					       "GET  HTTP/1.1\r\n\r\n",
					       "GET a HTTP/1.1\r\n\r\n",
					       "GET / b HTTP/1.1\r\n\r\n",
					       " GET / HTTP/1.1\r\n\r\n",
					       "G(T / HTTP/1.1\r\n\r\n",
					       "\r\n\r\n",
					       "no line end"};
	static const char *const responses[] = {"HTTP/1.1\r\n\r\n",       "HTTP/1.1 20\r\n\r\n",  "HTTP/1.1 2000 x\r\n\r\n",
						"HTTP/1.1 099 x\r\n\r\n", "HTTP/2 200 x\r\n\r\n", "ICY 200 OK\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct http1_head h;
		assert_int_equal(parse(requests[i], true, &h), -EBADMSG);
	}
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		struct http1_head h;
		assert_int_equal(parse(responses[i], false, &h), -EBADMSG);
	}
}

static void request_fields(void **state)
{
	struct http1_head h;

	(void)state;
	assert_int_equal(parse("POST /p HTTP/1.1\r\nhOsT:  shop.test \r\nContent-Length: 12\r\nX-Idempotency-Key: k\r\n"
			       "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nUpgrade: websocket\r\n\r\n",
			       true, &h),
			 0);
	assert_string_equal(h.host, "shop.test");
	assert_string_equal(h.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	assert_true(h.has_length && h.length == 12 && h.idempotency_key && h.upgrade && !h.ambiguous && h.version == 11);
	assert_string_equal(h.path, "/p");
	assert_string_equal(h.query, "");
	assert_int_equal(parse("GET http://shop.test?id=7 HTTP/1.1\r\n\r\n", true, &h), 0);
	assert_string_equal(h.host, "shop.test");
	assert_string_equal(h.path, "/");
	assert_string_equal(h.query, "id=7");
	/* A bare line feed ends a line, too. */
	assert_int_equal(parse("GET / HTTP/1.0\nHost: a\n\n", true, &h), 0);
	assert_string_equal(h.host, "a");
	assert_int_equal(h.version, 10);
}

static void answers_that_come_late(void **state)
{
	static const char *const late[] = {
		"GET /v1/kv/x?index=7&wait=60s HTTP/1.1\r\n\r\n",
		"GET /pods?a&&Watch=true HTTP/1.1\r\n\r\n",
		"GET /events HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n",
		"GET /jobs HTTP/1.1\r\nprefer: wait=30\r\n\r\n",
	};
	static const char *const others[] = {
		"GET /wait=60s HTTP/1.1\r\n\r\n",
		"GET /x?await=60s&watch=false HTTP/1.1\r\nAccept: text/html\r\nUpgrade: h2c\r\nPrefer: return=minimal\r\n\r\n",
		"GET /chat HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n", /* late is what comes after the handshake */
		"GET /x?timeout=5 HTTP/1.1\r\n\r\n",                /* says when the server gives up, not that it will be late */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		struct http1_head h;
		assert_int_equal(parse(late[i], true, &h), 0);
		assert_true(h.waits);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct http1_head h;
		assert_int_equal(parse(others[i], true, &h), 0);
		assert_false(h.waits);
	}
}

static void response_fields(void **state)
{
	struct http1_head h;

	(void)state;
	assert_int_equal(parse("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n\r\n", false, &h), 0);
	assert_int_equal(h.status, 503);
	assert_true(h.retry_after_ns == INT64_C(120000000000));
	assert_int_equal(parse("HTTP/1.1 503\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n\r\n", false, &h), 0);
	assert_true(h.retry_after_ns == INT64_C(60000000000));
	assert_int_equal(parse("HTTP/1.1 503 \r\nRetry-After: Sun, 06 Nov 1994 08:40:37 GMT\r\n\r\n", false, &h), 0);
	assert_true(h.retry_after_ns == 0);
	assert_int_equal(parse("HTTP/1.1 503 x\r\nRetry-After: later\r\n\r\n", false, &h), 0);
	assert_true(h.retry_after_ns == -1);
	assert_int_equal(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, &h), 0);
	assert_true(h.chunked && !h.other_coding && !h.ambiguous);
}

static void what_two_readers_could_see_differently(void **state)
{
	static const char *const fields[] = {
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 5, 6\r\n",
		"Content-Length: -1\r\n",
		"Content-Length: +5\r\n",
		"Content-Length:\r\n",
		"Content-Length: 99999999999999999999999\r\n",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked, chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding : chunked\r\n",
		"Content-Length : 5\r\n",
		"X: a\r\n folded\r\n",
		"no colon\r\n",
		": no name\r\n",
		"X: a\rb\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct http1_head h;
		char text[256];
		snprintf(text, sizeof(text), "POST / HTTP/1.1\r\n%s\r\n", fields[i]);
		assert_int_equal(parse(text, true, &h), 0);
		if (!h.ambiguous)
			fail_msg("not seen as ambiguous: %s", fields[i]);
	}
	struct http1_head h;
	assert_int_equal(parse("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", true, &h), 0);
	assert_false(h.ambiguous);
}

static void hostile_text_is_made_printable_and_cut(void **state)
{
	static char text[8192];
	struct http1_head h;
	size_t n = (size_t)snprintf(text, sizeof(text), "GET /\x80\x01%s", "");

	(void)state;
	memset(text + n, 'a', 4000);
	snprintf(text + n + 4000, sizeof(text) - n - 4000, "?%01000d HTTP/1.1\r\ntraceparent: %0200d\r\nHost: %0400d\r\n\r\n", 0, 0,
		 0);
	assert_int_equal(parse(text, true, &h), 0);
	assert_int_equal(strlen(h.path), sizeof(h.path) - 1);
	assert_int_equal(strlen(h.query), sizeof(h.query) - 1);
	assert_int_equal(strlen(h.host), sizeof(h.host) - 1);
	assert_string_equal(h.traceparent, "");
	assert_memory_equal(h.path, "/??aaaa", 7);
}

/* A URL longer than what is captured of a call. */
static void a_request_line_that_is_cut(void **state)
{
	static const char *const none[] = {"",           "GET",      "GET ",      "GET key", "BREW /pot",
					   "EHLO /mail", "GET /a b", "GET /\x01", " GET /"};
	struct http1_head h;

	(void)state;
	assert_int_equal(http1_head_parse((const uint8_t *)"GET /a?b=c", 10, true, false, 0, &h), 0);
	assert_string_equal(h.method, "GET");
	assert_string_equal(h.path, "/a");
	assert_string_equal(h.query, "b=c");
	assert_true(h.ambiguous && h.version == 0);
	assert_int_equal(http1_head_parse((const uint8_t *)"PUT http://h:1/a", 16, true, false, 0, &h), 0);
	assert_string_equal(h.host, "h:1");
	assert_int_equal(http1_head_parse((const uint8_t *)"GET /a?b=c", 10, true, true, 0, &h), -EBADMSG);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(http1_head_parse((const uint8_t *)none[i], strlen(none[i]), true, false, 0, &h), -EBADMSG);
}

static enum probe_answer probe(const char *text, bool request)
{
	return http1_head_probe((const uint8_t *)text, strlen(text), request);
}

static void probing(void **state)
{
	char target[400];

	(void)state;
	assert_int_equal(probe("GET / HTTP/1.1\r\n", true), PROBE_YES);
	assert_int_equal(probe("\r\nGET / HTTP/1.1\r\n", true), PROBE_YES);
	assert_int_equal(probe("GET / HT", true), PROBE_MORE);
	assert_int_equal(probe("G", true), PROBE_MORE);
	assert_int_equal(probe("", true), PROBE_MORE);
	assert_int_equal(probe("GET key\r\n", true), PROBE_NO); /* redis, inline */
	assert_int_equal(probe("*1\r\n$4\r\nPING\r\n", true), PROBE_NO);
	assert_int_equal(probe("\x16\x03\x01\x02", true), PROBE_NO);
	assert_int_equal(probe("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true), PROBE_NO);
	assert_int_equal(probe("EHLO mail.test\r\n", true), PROBE_NO);
	snprintf(target, sizeof(target), "GET /%0300d", 0);
	assert_int_equal(probe(target, true), PROBE_YES);
	snprintf(target, sizeof(target), "BREW /%0300d", 0);
	assert_int_equal(probe(target, true), PROBE_NO);
	assert_int_equal(probe("HTTP/1.1 200 OK\r\n", false), PROBE_YES);
	assert_int_equal(probe("HTTP/1.1 2", false), PROBE_MORE);
	assert_int_equal(probe("220 ready", false), PROBE_NO);
	assert_int_equal(probe("HTTP/1.1 abc", false), PROBE_NO);
}

static void which_message_is_the_last(void **state)
{
	static const struct {
		const char *text;
		bool request, last;
	} rows[] = {
		{"GET / HTTP/1.1\r\n\r\n", true, false},
		{"GET / HTTP/1.0\r\n\r\n", true, true},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false},
		{"GET / HTTP/1.1\r\nConnection: upgrade , Close\r\n\r\n", true, true},
		{"HTTP/1.1 200 OK\r\nConnection: closed\r\n\r\n", false, false},
		{"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", false, true},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n\r\n", false, true},
		{"HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n", false, true},
		{"HTTP/1.1 200 OK\r\nConnection:\r\n\r\n", false, false},
		{"HTTP/1.1 200 OK\r\nConnection: ,,\r\n\r\n", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http1_head h;

		assert_int_equal(parse(rows[i].text, rows[i].request, &h), 0);
		assert_int_equal(http1_head_is_last(&h), rows[i].last);
	}
}

TEST_MAIN(cmocka_unit_test(request_targets), cmocka_unit_test(no_start_lines), cmocka_unit_test(request_fields),
	  cmocka_unit_test(a_request_line_that_is_cut), cmocka_unit_test(answers_that_come_late), cmocka_unit_test(response_fields),
	  cmocka_unit_test(what_two_readers_could_see_differently), cmocka_unit_test(hostile_text_is_made_printable_and_cut),
	  cmocka_unit_test(which_message_is_the_last), cmocka_unit_test(probing))
