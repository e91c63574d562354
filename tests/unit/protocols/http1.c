/* HTTP/1.1 as client and server, on the model. */
#include "test.h"

#include "protocols/fixture.h"

static void keep_alive(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	f.s.stack = 7;
	script_write(&f.s, 5, "POST /pay?a=1 HTTP/1.1\r\nHost: pay.test\r\nIdempotency-Key: x\r\nContent-Length: 4\r\n\r\nabcd");
	f.s.stack = 8;
	script_took(&f.s, 2 * SCRIPT_SEC);
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
	script_read(&f.s, 5, "c");
	script_write(&f.s, 5, "GET /b HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 5 POST /pay?a=1\nanswer 5 /pay 200 done\nrequest 5 GET /b\nanswer 5 /b 503 done\n");
	const struct request *r = &f.ended[0];
	assert_true(r->id == 1 && !r->server && r->idempotency_key && r->stack == 7 && r->pid == 100 && r->version == 11);
	assert_string_equal(r->host, "pay.test");
	assert_int_equal(r->request_bytes, 85);
	assert_int_equal(r->response_bytes, 41);
	assert_int_equal(r->t_first_byte - r->t_sent, 2 * SCRIPT_SEC);
	assert_int_equal(r->t_end - r->t_first_byte, SCRIPT_USEC);
	assert_int_equal(r->t_sent - r->t_start, SCRIPT_USEC);
	assert_true(r->body_hash != 0 && f.ended[1].body_hash == 0 && r->retry_after_ns == -1);
	assert_true(f.ended[1].retry_after_ns == (int64_t)(2 * SCRIPT_SEC));
	assert_string_equal(r->protocol->name, "http");
	fixture_done(&f);
}

static void server_side(void **state)
{
	struct fixture f;

	(void)state;
	fixture_server(&f);
	script_read(&f.s, 5, "GET /x HTTP/1.1\r\n\r\n");
	script_took(&f.s, SCRIPT_SEC);
	script_write(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
	script_write(&f.s, 5, "ok");
	witness_is(&f.w, "request 5 GET /x\nanswer 5 /x 200 done\n");
	assert_true(f.ended[0].server);
	/* A response begins when its write does, and ends when that returns. */
	assert_int_equal(f.ended[0].t_end - f.ended[0].t_first_byte, SCRIPT_SEC + SCRIPT_USEC);
	fixture_done(&f);
}

static void a_retry_of_the_same_body_has_the_same_hash(void **state)
{
	struct fixture f;
	static const char *const bodies[] = {"abcd", "abcd", "abce"};

	(void)state;
	fixture_client(&f);
	for (int i = 0; i < 3; i++) {
		char text[128];
		snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n%s", bodies[i]);
		script_write(&f.s, 5, text);
		script_read(&f.s, 5, "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n");
	}
	assert_true(f.ended[0].body_hash == f.ended[1].body_hash && f.ended[0].body_hash != f.ended[2].body_hash);
	fixture_done(&f);
}

static void pipelining(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5,
		    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 404 No\r\n"
		    "Content-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 5 GET /1\nrequest 5 HEAD /2\nrequest 5 GET /3\n"
			 "answer 5 /1 200 done\nanswer 5 /2 200 done\nanswer 5 /3 404 done\n");
	fixture_done(&f);
}

static void pipelining_is_bounded(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	for (unsigned int i = 0; i < LIMIT_HTTP_PIPELINE + 1; i++)
		script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
	assert_int_equal(f.s.counters.limit[LIMIT_REACHED_PIPELINE], 1);
	assert_int_equal(f.n_ended, LIMIT_HTTP_PIPELINE);
	fixture_done(&f);
}

static void answers_without_a_body(void **state)
{
	static const char *const heads[] = {"204 No Content", "304 Not Modified", "200 OK\r\nContent-Length: 0"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct fixture f;
		char text[128];
		fixture_client(&f);
		script_write(&f.s, 5, "GET / HTTP/1.1\r\n\r\n");
		snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n", heads[i]);
		script_read(&f.s, 5, text);
		assert_int_equal(f.n_ended, 1);
		assert_int_equal(f.ended[0].end, REQUEST_DONE);
		fixture_done(&f);
	}
}

static void interim_answers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 100 Continue\r\n\r\n");
	script_write(&f.s, 5, "abc");
	script_read(&f.s, 5, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 5 PUT /f\nanswer 5 /f 201 done\n");
	assert_true(f.ended[0].t_sent > f.ended[0].t_first_byte);
	fixture_done(&f);
}

static void chunked_with_trailers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET / HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	witness_is(&f.w, "request 5 GET /\n");
	script_read(&f.s, 5, "0\r\nTrailer: 1\r\n\r\n");
	witness_is(&f.w, "answer 5 / 200 done\n");
	fixture_done(&f);
}

static void ended_by_the_close(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET / HTTP/1.0\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.0 200 OK\r\n\r\nall of this");
	witness_is(&f.w, "request 5 GET /\n");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "answer 5 / 200 done\n");
	fixture_done(&f);

	fixture_server(&f);
	script_read(&f.s, 5, "GET / HTTP/1.0\r\n\r\n");
	script_write(&f.s, 5, "HTTP/1.0 200 OK\r\n\r\nall of this");
	script_close(&f.s, 5);
	witness_is(&f.w, "request 5 GET /\nanswer 5 / 200 done\n");
	fixture_done(&f);
}

static void upgraded_connections_are_no_longer_read(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
	assert_int_equal(f.n_ended, 1);
	assert_int_equal(f.ended[0].end, REQUEST_DONE);
	script_write(&f.s, 5, "GET /looks/like/it HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\n\r\n");
	script_close(&f.s, 5);
	assert_int_equal(f.n_ended, 1);
	fixture_done(&f);
}

static void a_refused_tunnel_is_an_answer_like_any(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "CONNECT h:443 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n");
	script_write(&f.s, 5, "CONNECT h:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\n\r\n");
	witness_is(&f.w, "request 5 CONNECT \nanswer 5  407 done\nrequest 5 CONNECT \nanswer 5  200 done\n");
	fixture_done(&f);
}

static void how_requests_fail(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /eof HTTP/1.1\r\n\r\n");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "request 5 GET /eof\nanswer 5 /eof 0 eof\n"); /* at the end of input, not at the close */
	script_pass(&f.s, SCRIPT_SEC);
	script_close(&f.s, 5);
	witness_is(&f.w, "");
	fixture_done(&f);

	fixture_client(&f);
	script_write(&f.s, 5, "GET /cut HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "request 5 GET /cut\nanswer 5 /cut 200 eof\n");
	fixture_done(&f);

	fixture_client(&f);
	script_write(&f.s, 5, "GET /rst HTTP/1.1\r\n\r\n");
	script_read_err(&f.s, 5, ECONNRESET);
	witness_is(&f.w, "request 5 GET /rst\nanswer 5 /rst 0 reset\n");
	fixture_done(&f);

	fixture_client(&f);
	script_write(&f.s, 5, "POST /pipe HTTP/1.1\r\nContent-Length: 10\r\n\r\n");
	script_write_err(&f.s, 5, EPIPE);
	witness_is(&f.w, "request 5 POST /pipe\nanswer 5 /pipe 0 reset\n");
	fixture_done(&f);

	fixture_client(&f);
	script_rcvtimeo(&f.s, 5, SCRIPT_SEC);
	script_write(&f.s, 5, "GET /slow HTTP/1.1\r\n\r\n");
	script_took(&f.s, SCRIPT_SEC);
	script_read_err(&f.s, 5, EAGAIN);
	witness_is(&f.w, "request 5 GET /slow\n");
	script_close(&f.s, 5);
	witness_is(&f.w, "answer 5 /slow 0 abandoned\n");
	fixture_done(&f);

	fixture_client(&f);
	script_write(&f.s, 5, "GET /open HTTP/1.1\r\n\r\n");
	script_finish(&f.s);
	witness_is(&f.w, "request 5 GET /open\nanswer 5 /open 0 pending\n");
	fixture_done(&f);
	assert_int_equal(f.n_ended, 1);
}

static void a_server_answers_after_its_client_shut_down(void **state)
{
	struct fixture f;

	(void)state;
	fixture_server(&f);
	script_read(&f.s, 5, "GET /x HTTP/1.0\r\n\r\n");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "request 5 GET /x\n");
	script_write(&f.s, 5, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "answer 5 /x 200 done\n");
	fixture_done(&f);

	fixture_server(&f);
	script_read(&f.s, 5, "POST /half HTTP/1.0\r\nContent-Length: 10\r\n\r\nabc");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "request 5 POST /half\nanswer 5 /half 0 eof\n");
	fixture_done(&f);
}

static void early_answers(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "POST /big HTTP/1.1\r\nContent-Length: 8\r\n\r\nabcd");
	script_read(&f.s, 5, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	script_write(&f.s, 5, "efgh");
	script_write(&f.s, 5, "GET /next HTTP/1.1\r\n\r\n");
	witness_is(&f.w, "request 5 POST /big\nanswer 5 /big 413 done\nrequest 5 GET /next\n");
	fixture_done(&f);
}

static void an_answer_nobody_asked_for(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 408 Timeout\r\nContent-Length: 2\r\n\r\nno");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "request 5 GET /1\nanswer 5 /1 200 done\n");
	fixture_done(&f);
}

static void smuggling_is_not_guessed_at(void **state)
{
	struct fixture f;

	(void)state;
	fixture_server(&f);
	script_read(
		&f.s, 5,
		"POST /a HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n");
	witness_is(&f.w, "request 5 POST /a\n");
	assert_int_equal(f.s.counters.protocol_resync, 1);
	script_write(&f.s, 5, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
	script_read(&f.s, 5, "GET /clear HTTP/1.1\r\n\r\n");
	witness_is(&f.w, "answer 5 /a 400 done\nrequest 5 GET /clear\n");
	fixture_done(&f);
}

static void large_bodies_seen_in_part(void **state)
{
	struct fixture f;
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /big HTTP/1.1\r\n\r\n");
	script_data(&f.s, WIRE_READ, 5, head, strlen(head), strlen(head) + 40000, 0);
	script_data(&f.s, WIRE_READ, 5, "zzz", 3, 60000, 0);
	witness_is(&f.w, "request 5 GET /big\nanswer 5 /big 200 done\n");
	assert_int_equal(f.ended[0].response_bytes, strlen(head) + 100000);
	script_write(&f.s, 5, "GET /next HTTP/1.1\r\n\r\n");
	script_data(&f.s, WIRE_READ, 5, head, strlen(head), strlen(head) + 99999, 0);
	witness_is(&f.w, "request 5 GET /next\n");
	fixture_done(&f);
}

static void sent_by_sendfile(void **state)
{
	struct fixture f;

	(void)state;
	fixture_server(&f);
	script_read(&f.s, 5, "GET /file HTTP/1.1\r\n\r\n");
	script_write(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	script_event(&f.s, (struct event){.id = WIRE_SENDFILE, .fd = 5, .ret = 5000, .a0 = 5000, .a1 = 9});
	witness_is(&f.w, "request 5 GET /file\nanswer 5 /file 200 done\n");
	fixture_done(&f);
}

static void a_lost_answer_ends_with_the_next_request(void **state)
{
	struct fixture f;
	static const char head[] = "HTTP/1.1 200 OK\r\nX-Cut: ";

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
	script_data(&f.s, WIRE_READ, 5, head, strlen(head), 9000, 0);
	witness_is(&f.w, "request 5 GET /1\n");
	uint64_t answered = f.s.now;
	script_pass(&f.s, 10 * SCRIPT_SEC);
	script_write(&f.s, 5, "GET /2 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 204 x\r\n\r\n");
	witness_is(&f.w, "answer 5 /1 200 done\nrequest 5 GET /2\nanswer 5 /2 204 done\n");
	assert_true(f.ended[0].t_end == answered);
	assert_false(f.ended[0].end_unseen); /* its status was seen */
	fixture_done(&f);
}

static void a_loss_in_the_middle_of_an_answer(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 88\r\n\r\nabc");
	uint64_t seen = f.s.now;
	script_pass(&f.s, SCRIPT_SEC);
	script_event(&f.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
	witness_is(&f.w, "request 5 GET /1\nanswer 5 /1 200 done\n");
	assert_true(f.ended[0].t_end == seen && f.ended[0].t_last_byte == seen);
	fixture_done(&f);
}

/* axios and Java's HttpURLConnection do not read what stands below a redirect. */
static void who_follows_a_redirect_leaves_its_body(void **state)
{
	static const struct {
		const char *status;
		enum request_end end;
	} rows[] = {{"302 Found", REQUEST_DONE}, {"200 OK", REQUEST_ABANDONED}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		char text[128];

		fixture_client(&f);
		script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
		snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nLocation: /2\r\nContent-Length: 100\r\n\r\nhalf", rows[i].status);
		script_read(&f.s, 5, text);
		script_close(&f.s, 5);
		assert_int_equal(f.n_ended, 1);
		assert_int_equal(f.ended[0].end, rows[i].end);
		fixture_done(&f);
	}
}

/* A body that waits to be asked for, and is refused: some clients send it nevertheless, others never do. */
static void a_body_that_is_refused(void **state)
{
	static const char ask[] = "POST /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
	static const char no[] = "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	for (int sent = 0; sent < 2; sent++) {
		struct fixture f;

		fixture_client(&f);
		script_write(&f.s, 5, ask);
		script_read(&f.s, 5, no);
		if (sent)
			script_write(&f.s, 5, "hello");
		script_write(&f.s, 5, "GET /2 HTTP/1.1\r\n\r\n");
		script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		witness_is(&f.w, "request 5 POST /1\nanswer 5 /1 417 done\nrequest 5 GET /2\nanswer 5 /2 200 done\n");
		assert_int_equal(f.s.counters.protocol_resync, 0);
		fixture_done(&f);
	}
}

/* Only the beginning of a URL is captured: its request counts, and so does what follows on the connection. */
static void a_url_longer_than_what_is_captured(void **state)
{
	static const char text[] = "POST /long?a=bcdefgh";

	(void)state;
	for (size_t captured = 7; captured < sizeof(text) - 1; captured++) {
		struct fixture f;

		fixture_server(&f);
		script_read(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
		script_write(&f.s, 5, "HTTP/1.1 204 x\r\n\r\n");
		f.n_ended = 0;
		script_data(&f.s, WIRE_READ, 5, text, captured, 9000, 0);
		script_write(&f.s, 5, "HTTP/1.1 414 x\r\nContent-Length: 0\r\n\r\n");
		script_read(&f.s, 5, "GET /2 HTTP/1.1\r\n\r\n");
		script_write(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		assert_int_equal(f.n_ended, 2);
		assert_string_equal(f.ended[0].method, "POST");
		assert_int_equal(f.ended[0].status, 414);
		assert_int_equal(f.ended[0].request_bytes, 9000);
		assert_int_equal(f.ended[1].status, 200);
		fixture_done(&f);
	}
}

static void lost_answers_of_pipelined_requests_end_after_they_began(void **state)
{
	struct fixture f;

	(void)state;
	fixture_server(&f);
	script_read(&f.s, 5, "GET /0 HTTP/1.1\r\n\r\n");
	script_event(&f.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
	script_read(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	for (size_t i = 0; i < f.n_ended; i++)
		assert_true(f.ended[i].t_end >= f.ended[i].t_start && f.ended[i].end_unseen);
	assert_int_equal(f.n_ended, 2);
	fixture_done(&f);
}

TEST_MAIN(cmocka_unit_test(keep_alive), cmocka_unit_test(server_side), cmocka_unit_test(a_retry_of_the_same_body_has_the_same_hash),
	  cmocka_unit_test(pipelining), cmocka_unit_test(pipelining_is_bounded), cmocka_unit_test(answers_without_a_body),
	  cmocka_unit_test(interim_answers), cmocka_unit_test(chunked_with_trailers), cmocka_unit_test(ended_by_the_close),
	  cmocka_unit_test(upgraded_connections_are_no_longer_read), cmocka_unit_test(a_refused_tunnel_is_an_answer_like_any),
	  cmocka_unit_test(how_requests_fail), cmocka_unit_test(a_server_answers_after_its_client_shut_down),
	  cmocka_unit_test(early_answers), cmocka_unit_test(an_answer_nobody_asked_for),
	  cmocka_unit_test(smuggling_is_not_guessed_at), cmocka_unit_test(large_bodies_seen_in_part),
	  cmocka_unit_test(sent_by_sendfile), cmocka_unit_test(a_lost_answer_ends_with_the_next_request),
	  cmocka_unit_test(a_loss_in_the_middle_of_an_answer), cmocka_unit_test(who_follows_a_redirect_leaves_its_body),
	  cmocka_unit_test(a_body_that_is_refused), cmocka_unit_test(a_url_longer_than_what_is_captured),
	  cmocka_unit_test(lost_answers_of_pipelined_requests_end_after_they_began))
