/* What a TLS handshake says of its connection. */
#include "test.h"

#include "protocols/fixture.h"

static const char client_hello[] =
	"\026\003\003\000Q\001\000\000M\003\003rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\000\000\002\023\001\001\000\000"
	"\"\000\012\000\004\000\002\000\035\000\000\000\015\000\013\000\000\010api.test\000\020\000\005\000\003"
	"\002h2";
static const char server_hello_13[] =
	"\026\003\003\0002\002\000\000.\003\003rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\000\023\001\000\000\006\000+\000"
	"\002\003\004";
static const char server_hello_12[] =
	"\026\003\003\0005\002\000\0001\003\003rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\000\300/\000\000\011\000\020\000"
	"\005\000\003\002h2";

static void send_all(struct fixture *f, uint16_t id, const char *bytes, size_t len, bool split)
{
	for (size_t i = 0; split && i < len; i++)
		script_data(&f->s, id, 5, bytes + i, 1, 1, 0);
	if (!split)
		script_data(&f->s, id, 5, bytes, len, len, 0);
}

static void hellos(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fixture f;
		bool new = i % 2;
		fixture_client(&f);
		send_all(&f, WIRE_WRITE, client_hello, sizeof(client_hello) - 1, i / 2);
		if (new)
			send_all(&f, WIRE_READ, server_hello_13, sizeof(server_hello_13) - 1, i / 2);
		else
			send_all(&f, WIRE_READ, server_hello_12, sizeof(server_hello_12) - 1, i / 2);
		const struct conn *c = model_conn(f.s.model, 100, 5);
		assert_int_equal(c->handshake.version, new ? 0x0304 : 0x0303);
		assert_string_equal(c->handshake.server_name, "api.test");
		assert_string_equal(c->handshake.alpn, new ? "" : "h2");
		assert_null(c->protocol); /* what is inside is not known */
		assert_int_equal(f.n_ended, 0);
		fixture_done(&f);
	}
}

static void alerts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	send_all(&f, WIRE_WRITE, client_hello, sizeof(client_hello) - 1, false);
	script_data(&f.s, WIRE_READ, 5, "\x15\3\3\0\2\2\x28", 7, 7, 0);
	const struct conn *c = model_conn(f.s.model, 100, 5);
	assert_int_equal(c->handshake.alert, 40); /* handshake_failure */
	assert_int_equal(c->handshake.version, 0);
	fixture_done(&f);
}

TEST_MAIN(cmocka_unit_test(hellos), cmocka_unit_test(alerts))
