/* Plaintext is told of the connection it belongs to, and of no other. */
#include "test.h"

#include "model/witness.h"
#include "wire/tls.h"

#define SESSION 0x1000

struct fixture {
	struct script s;
	char told[4096];
	size_t len;
};

static void on_plain(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	struct fixture *f = ctx;

	f->len += (size_t)snprintf(f->told + f->len, sizeof(f->told) - f->len, "%d %s %.*s\n", e->fd, d == DIR_OUT ? "out" : "in",
				   (int)e->data_len, (const char *)e->data);
	assert_true(c->tls && (e->id == WIRE_WRITE || e->id == WIRE_READ));
}

static void told_is(struct fixture *f, const char *text)
{
	assert_string_equal(f->told, text);
	f->len = 0;
	f->told[0] = '\0';
}

static void begin(struct fixture *f)
{
	static const struct observer o = {.conn_plain = on_plain};

	memset(f, 0, sizeof(*f));
	script_init(&f->s);
	assert_int_equal(model_observe(f->s.model, &o, f), 0);
	for (int fd = 5; fd <= 6; fd++) {
		script_socket(&f->s, fd);
		script_connect(&f->s, fd, "10.0.0.9", 443, 0);
	}
}

static void plain(struct fixture *f, uint16_t id, uint64_t session, uint64_t since, const char *text)
{
	script_event(&f->s, (struct event){.id = id,
					   .fd = -1,
					   .t0 = since,
					   .t1 = f->s.now + 10,
					   .ret = (int64_t)strlen(text),
					   .a1 = session,
					   .data = (const uint8_t *)text,
					   .data_len = (uint32_t)strlen(text)});
}

static void cipher(struct fixture *f, uint16_t id, int fd)
{
	script_data(&f->s, id, fd, "\x17\x03\x03\x00\x20????????", 13, 37, 0);
}

static void by_what_the_library_does_inside(void **state)
{
	struct fixture f;
	uint64_t since;

	(void)state;
	begin(&f);
	since = f.s.now;
	cipher(&f, WIRE_WRITE, 5);
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "GET");
	told_is(&f, "5 out GET\n");
	/* What was decrypted before needs no descriptor: the session is known. */
	plain(&f, WIRE_TLS_READ, SESSION, f.s.now, "200");
	told_is(&f, "5 in 200\n");
	/* Another session, another thread's read in between. */
	since = f.s.now;
	cipher(&f, WIRE_READ, 6);
	f.s.tid = 7;
	cipher(&f, WIRE_READ, 5);
	f.s.tid = 0;
	plain(&f, WIRE_TLS_READ, SESSION + 16, since, "hi");
	told_is(&f, "6 in hi\n");
	script_done(&f.s);
}

static void not_where_it_is_uncertain(void **state)
{
	struct fixture f;
	uint64_t since;

	(void)state;
	begin(&f);
	/* Two connections inside of one call; one from before the call; bytes that are no TLS. */
	since = f.s.now;
	cipher(&f, WIRE_WRITE, 6);
	cipher(&f, WIRE_WRITE, 5);
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "a");
	script_pass(&f.s, 1000);
	plain(&f, WIRE_TLS_READ, SESSION, f.s.now, "b");
	script_socket(&f.s, 8);
	script_connect(&f.s, 8, "10.0.0.9", 80, 0);
	since = f.s.now;
	script_write(&f.s, 8, "log line");
	model_conn(f.s.model, 100, 8)->protocol = (const void *)&f;
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "c");
	told_is(&f, "");
	model_conn(f.s.model, 100, 8)->protocol = NULL;
	script_done(&f.s);
}

static void ends_with_session_or_connection(void **state)
{
	struct fixture f;
	uint64_t since;

	(void)state;
	begin(&f);
	since = f.s.now;
	cipher(&f, WIRE_WRITE, 5);
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "a");
	told_is(&f, "5 out a\n");
	script_event(&f.s, (struct event){.id = WIRE_TLS_END, .fd = -1, .a1 = SESSION});
	plain(&f, WIRE_TLS_READ, SESSION, f.s.now, "b");
	told_is(&f, "");
	since = f.s.now;
	cipher(&f, WIRE_WRITE, 5);
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "c");
	script_close(&f.s, 5);
	plain(&f, WIRE_TLS_READ, SESSION, f.s.now, "d");
	told_is(&f, "5 out c\n");
	script_done(&f.s);
}

/* A library that works in memory: told by the handshake, whichever is seen first. */
static void by_the_handshake(void **state)
{
	static const uint8_t hello[40] = {0x16, 3, 1, 0, 35, 1, 0, 0, 31, 3, 3, 9, 8, 7, 6, 5, 4, 3, 2, 1};
	uint8_t answer[40];
	struct fixture f;

	(void)state;
	memcpy(answer, hello, sizeof(answer));
	answer[12] = 77;
	begin(&f);
	script_event(&f.s,
		     (struct event){
			     .id = WIRE_TLS_HELLO, .fd = -1, .a0 = wire_tls_hello(hello, sizeof(hello)), .a1 = SESSION, .ret = -1});
	script_data(&f.s, WIRE_WRITE, 5, hello, sizeof(hello), sizeof(hello), 0);
	script_event(
		&f.s,
		(struct event){
			.id = WIRE_TLS_HELLO, .fd = -1, .a0 = wire_tls_hello(answer, sizeof(answer)), .a1 = SESSION, .ret = 1});
	plain(&f, WIRE_TLS_WRITE, SESSION, f.s.now, "client");
	told_is(&f, "5 out client\n");
	script_data(&f.s, WIRE_READ, 6, answer, sizeof(answer), sizeof(answer), 0);
	script_event(&f.s, (struct event){.id = WIRE_TLS_HELLO,
					  .fd = -1,
					  .a0 = wire_tls_hello(answer, sizeof(answer)),
					  .a1 = SESSION + 16,
					  .ret = -1});
	plain(&f, WIRE_TLS_READ, SESSION + 16, f.s.now, "server");
	told_is(&f, "6 in server\n");
	assert_true(wire_tls_hello(hello, 23) == 0 && wire_tls_hello((const uint8_t *)"GET / HTTP/1.1\r\nHost: example", 29) == 0);
	script_done(&f.s);
}

/* A source that looked at the session itself names the connection. */
static void by_its_descriptor(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (int fd = 6; fd >= 5; fd--) /* the session's memory is another's meanwhile */
		script_event(&f.s, (struct event){.id = WIRE_TLS_WRITE,
						  .fd = fd,
						  .t0 = f.s.now,
						  .t1 = f.s.now + 1,
						  .ret = 3,
						  .a1 = SESSION,
						  .data = (const uint8_t *)"GET",
						  .data_len = 3});
	told_is(&f, "6 out GET\n5 out GET\n");
	script_event(&f.s,
		     (struct event){
			     .id = WIRE_TLS_READ, .fd = 99, .a1 = SESSION, .ret = 1, .data = (const uint8_t *)"x", .data_len = 1});
	told_is(&f, "");
	script_done(&f.s);
}

/* Sessions whose end was never told: the oldest makes room. */
static void bounded(void **state)
{
	struct fixture f;
	uint64_t since;

	(void)state;
	begin(&f);
	since = f.s.now;
	cipher(&f, WIRE_WRITE, 5);
	plain(&f, WIRE_TLS_WRITE, SESSION, since, "first");
	told_is(&f, "5 out first\n");
	for (uint64_t i = 1; i <= LIMIT_TLS_SESSIONS; i++)
		plain(&f, WIRE_TLS_READ, SESSION + i * 16, f.s.now, "x");
	plain(&f, WIRE_TLS_READ, SESSION, f.s.now, "again");
	told_is(&f, "");
	script_done(&f.s);
}

TEST_MAIN(cmocka_unit_test(by_what_the_library_does_inside), cmocka_unit_test(not_where_it_is_uncertain),
	  cmocka_unit_test(ends_with_session_or_connection), cmocka_unit_test(by_the_handshake),
	  cmocka_unit_test(by_its_descriptor), cmocka_unit_test(bounded))
