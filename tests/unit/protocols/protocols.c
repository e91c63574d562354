/* The runner: recognises protocols, gives up on what it cannot read, and finds its place again after a loss. */
#include "test.h"

#include "protocols/fixture.h"
#include "wire/shared.h"

struct policy {
	int calls, fd;
	uint8_t policy;
};

static void on_policy(void *ctx, uint32_t pid, int fd, uint8_t policy, uint64_t now_ns)
{
	struct policy *p = ctx;

	(void)pid;
	(void)now_ns;
	p->calls++;
	p->fd = fd;
	p->policy = policy;
}

static void the_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; protocol_table[i]; i++) {
		const struct protocol *p = protocol_table[i];
		assert_true(p->name && p->doc && p->probe && p->open && p->data && p->close && p->resync);
	}
}

static void first_bytes_split_at_every_byte(void **state)
{
	static const char asked[] = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n",
			  answered[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

	(void)state;
	for (size_t i = 1; i < strlen(asked); i++) {
		for (size_t j = 1; j < strlen(answered); j++) {
			struct fixture f;
			fixture_client(&f);
			uint64_t start = f.s.now;
			script_data(&f.s, WIRE_WRITE, 5, asked, i, i, 0);
			script_data(&f.s, WIRE_WRITE, 5, asked + i, strlen(asked) - i, strlen(asked) - i, 0);
			script_data(&f.s, WIRE_READ, 5, answered, j, j, 0);
			uint64_t first = f.s.now;
			script_data(&f.s, WIRE_READ, 5, answered + j, strlen(answered) - j, strlen(answered) - j, 0);
			witness_is(&f.w, "request 5 GET /a\nanswer 5 /a 200 done\n");
			assert_true(f.ended[0].t_start == start && f.ended[0].t_first_byte == first);
			assert_int_equal(f.ended[0].request_bytes, strlen(asked));
			assert_int_equal(f.ended[0].response_bytes, strlen(answered));
			fixture_done(&f);
		}
	}
}

static void opaque_connections_lower_their_policy(void **state)
{
	static const char *const first[] = {"\x16\x03\x01\x02\x01", "EHLO mail\r\n", "GET key\r\n"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct fixture f;
		struct policy p = {0};
		fixture_client(&f);
		model_on_policy(f.s.model, on_policy, &p);
		script_write(&f.s, 5, first[i]);
		script_write(&f.s, 5, "GET /not/read HTTP/1.1\r\n\r\n");
		witness_is(&f.w, "");
		assert_true(p.calls == 1 && p.fd == 5 && p.policy == (i == 0 ? WIRE_POLICY_SIZES : WIRE_POLICY_HEAD_256));
		assert_null(model_conn(f.s.model, 100, 5)->protocol);
		fixture_done(&f);
	}
}

/* Where requests do not wait for answers, these may come many in one call. */
static void pipelines_raise_their_policy(void **state)
{
	static const char *const asked[][2] = {
		{"GET /a HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n"},
		{"*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nTIME\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		struct policy p = {0};

		fixture_client(&f);
		model_on_policy(f.s.model, on_policy, &p);
		script_write(&f.s, 5, asked[i][0]);
		assert_int_equal(p.calls, 0);
		script_write(&f.s, 5, asked[i][1]);
		script_write(&f.s, 5, asked[i][1]);
		assert_true(p.calls == 1 && p.fd == 5 && p.policy == WIRE_POLICY_HEAD_16K);
		fixture_done(&f);
	}
}

/* From HTTP/1.1 to HTTP/2 on the same connection: what comes behind is read, in the same call or a later one. */
static void an_upgrade_to_http2_is_followed(void **state)
{
	static const char ask[] = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
				  "HTTP2-Settings: AAMAAABk\r\n\r\n";
	static const char agree[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
				    "\000\000\000\004\000\000\000\000\000\000\000\001\001\005\000\000\000\001\210";
	static const char two[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\000\000\000\004\000\000\000\000\000"
				  "\000\000\010\001\005\000\000\000\003\203\206\004\004/two";
	static const char answer[] = "\000\000\001\001\005\000\000\000\003\215";

	(void)state;
	if (strcmp(protocol_table[0]->name, "http2") != 0) /* not built here */
		return;
	for (size_t cut = 0; cut < sizeof(agree) - 1; cut++) {
		struct fixture f;

		fixture_client(&f);
		script_write(&f.s, 5, ask);
		if (cut)
			script_data(&f.s, WIRE_READ, 5, agree, cut, cut, 0);
		script_data(&f.s, WIRE_READ, 5, agree + cut, sizeof(agree) - 1 - cut, sizeof(agree) - 1 - cut, 0);
		script_data(&f.s, WIRE_WRITE, 5, two, sizeof(two) - 1, sizeof(two) - 1, 0);
		script_data(&f.s, WIRE_READ, 5, answer, sizeof(answer) - 1, sizeof(answer) - 1, 0);
		assert_int_equal(f.n_ended, 2);
		assert_int_equal(f.ended[0].status, 101);
		assert_string_equal(f.ended[1].path, "/two");
		assert_int_equal(f.ended[1].status, 404);
		fixture_done(&f);
	}
}

/* What a tunnel carries is recognised by its own first bytes, whoever speaks first, in the same call or a later one. */
static void what_a_tunnel_carries_is_read(void **state)
{
	static const char ask[] = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n";
	static const char agree[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	static const char greeted[] = "HTTP/1.1 200 OK\r\n\r\n220 mail.test ESMTP\r\n";
	struct fixture f;

	(void)state;
	for (size_t cut = 0; cut < sizeof(agree) - 1; cut++) {
		fixture_client(&f);
		script_write(&f.s, 5, ask);
		if (cut)
			script_data(&f.s, WIRE_READ, 5, agree, cut, cut, 0);
		script_data(&f.s, WIRE_READ, 5, agree + cut, sizeof(agree) - 1 - cut, sizeof(agree) - 1 - cut, 0);
		script_write(&f.s, 5, "GET /a HTTP/1.1\r\n\r\n");
		script_read(&f.s, 5, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
		script_write(&f.s, 5, "GET /b HTTP/1.1\r\n\r\n");
		script_read(&f.s, 5, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
		witness_is(&f.w, "request 5 CONNECT \nanswer 5  200 done\nrequest 5 GET /a\nanswer 5 /a 404 done\n"
				 "request 5 GET /b\nanswer 5 /b 200 done\n");
		fixture_done(&f);
	}
	fixture_client(&f);
	script_write(&f.s, 5, ask);
	script_read(&f.s, 5, greeted);
	script_write(&f.s, 5, "EHLO a\r\n");
	assert_null(model_conn(f.s.model, 100, 5)->protocol);
	witness_is(&f.w, "request 5 CONNECT \nanswer 5  200 done\n");
	fixture_done(&f);
	fixture_server(&f); /* the proxy's side */
	script_read(&f.s, 5, ask);
	script_write(&f.s, 5, agree);
	script_read(&f.s, 5, "*1\r\n$4\r\nPING\r\n");
	script_write(&f.s, 5, "+PONG\r\n");
	assert_int_equal(f.n_ended, 2);
	assert_string_equal(f.ended[1].protocol->name, "redis");
	assert_true(f.ended[1].server);
	fixture_done(&f);
}

static void a_greeting_of_the_server_is_not_http(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_read(&f.s, 5, "220 mail.test ESMTP\r\n");
	script_write(&f.s, 5, "EHLO a\r\n");
	assert_null(model_conn(f.s.model, 100, 5)->protocol);
	fixture_done(&f);
}

static void inherited_connections_are_caught_at_a_message(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	script_read(&f.s, 9, "the end of some body");
	script_write(&f.s, 9, "GET /a HTTP/1.1\r\n\r\n");
	script_read(&f.s, 9, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 9 GET /a\nanswer 9 /a 200 done\n");
	assert_int_equal(model_conn(f.s.model, 100, 9)->role, CONN_CLIENT);

	script_read(&f.s, 8, "GET /b HTTP/1.1\r\n\r\n");
	script_write(&f.s, 8, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 8 GET /b\nanswer 8 /b 200 done\n");
	assert_int_equal(model_conn(f.s.model, 100, 8)->role, CONN_SERVER);
	fixture_done(&f);
}

static void both_ends_of_a_socketpair(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	script_event(&f.s, (struct event){.id = WIRE_SOCKETPAIR, .fd = 5, .a0 = (uint64_t)AF_UNIX << 32 | SOCK_STREAM, .a1 = 6});
	script_write(&f.s, 5, "GET /a HTTP/1.1\r\n\r\n");
	script_read(&f.s, 6, "GET /a HTTP/1.1\r\n\r\n");
	script_write(&f.s, 6, "HTTP/1.1 204 x\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 204 x\r\n\r\n");
	witness_is(&f.w, "request 5 GET /a\nrequest 6 GET /a\nanswer 6 /a 204 done\nanswer 5 /a 204 done\n");
	assert_true(f.ended[0].server && !f.ended[1].server);
	fixture_done(&f);
}

static void after_a_loss_the_next_message_is_found(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "GET /1 HTTP/1.1\r\n\r\n");
	script_event(&f.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 3});
	witness_is(&f.w, "request 5 GET /1\nanswer 5 /1 0 done\n");
	script_read(&f.s, 5, "body of something unseen");
	script_write(&f.s, 5, "GET /2 HTTP/1.1\r\n\r\n");
	script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	witness_is(&f.w, "request 5 GET /2\nanswer 5 /2 200 done\n");
	assert_int_equal(f.s.counters.protocol_resync, 2);
	/* Somebody else's loss is not ours. */
	script_write(&f.s, 5, "GET /3 HTTP/1.1\r\n\r\n");
	script_event(&f.s, (struct event){.id = WIRE_LOSS, .pid = 999, .fd = -1, .a1 = 3});
	witness_is(&f.w, "request 5 GET /3\n");
	fixture_done(&f);
}

/* Any one record of a conversation may be missing: what is told stays sane, and the conversation is caught again. */
static void a_dropped_record_does_no_lasting_harm(void **state)
{
	static const struct {
		uint16_t id;
		const char *text;
	} talk[] = {
		{WIRE_WRITE, "POST /1 HTTP/1.1\r\nContent-Length: 6\r\n\r\n"},
		{WIRE_WRITE, "abcdef"},
		{WIRE_READ, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{WIRE_READ, "5\r\nhello\r\n"},
		{WIRE_READ, "0\r\n\r\n"},
		{WIRE_WRITE, "GET /2 HTTP/1.1\r\n\r\n"},
		{WIRE_READ, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
		{WIRE_READ, "hello"},
	};
	const size_t n = sizeof(talk) / sizeof(talk[0]);

	(void)state;
	for (size_t drop = 0; drop < n; drop++) {
		struct fixture f;
		fixture_client(&f);
		for (size_t i = 0; i < n; i++) {
			if (i == drop)
				script_event(&f.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
			else
				script_data(&f.s, talk[i].id, 5, talk[i].text, strlen(talk[i].text), strlen(talk[i].text), 0);
		}
		f.n_ended = 0;
		script_write(&f.s, 5, "GET /last HTTP/1.1\r\n\r\n");
		script_read(&f.s, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		/* A connection whose very first bytes were lost is not taken for HTTP at all: nothing is told then. */
		if (f.n_ended) {
			assert_string_equal(f.ended[f.n_ended - 1].path, "/last");
			assert_int_equal(f.ended[f.n_ended - 1].status, 200);
			assert_int_equal(f.ended[f.n_ended - 1].end, REQUEST_DONE);
		} else {
			assert_int_equal(drop, 0);
		}
		fixture_done(&f);
	}
}

static void many_connections(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.w.only = "";
	for (int fd = 10; fd < 100010; fd++) {
		script_socket(&f.s, fd);
		script_connect(&f.s, fd, "10.0.0.9", 80, 0);
		script_write(&f.s, fd, "GET /1 HTTP/1.1\r\n\r\n");
	}
	for (int fd = 10; fd < 100010; fd++) {
		script_read(&f.s, fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		script_close(&f.s, fd);
	}
	assert_int_equal(f.n_ended, 256); /* all that the fixture keeps */
	assert_int_equal(f.ended[255].end, REQUEST_DONE);
	assert_int_equal(f.s.counters.limit[LIMIT_REACHED_CONNECTIONS], 0);
	fixture_done(&f);
}

TEST_MAIN(cmocka_unit_test(the_table_is_whole), cmocka_unit_test(first_bytes_split_at_every_byte),
	  cmocka_unit_test(opaque_connections_lower_their_policy), cmocka_unit_test(pipelines_raise_their_policy),
	  cmocka_unit_test(what_a_tunnel_carries_is_read), cmocka_unit_test(a_greeting_of_the_server_is_not_http),
	  cmocka_unit_test(inherited_connections_are_caught_at_a_message), cmocka_unit_test(both_ends_of_a_socketpair),
	  cmocka_unit_test(after_a_loss_the_next_message_is_found), cmocka_unit_test(a_dropped_record_does_no_lasting_harm),
	  cmocka_unit_test(many_connections), cmocka_unit_test(an_upgrade_to_http2_is_followed))
