/* Texts of peers from socket addresses of every kind and length. */
#include "test.h"

#include "model/witness.h"

static const char *peer_of(struct script *s, const void *addr, size_t len)
{
	script_close(s, 5);
	script_socket_of(s, 5, AF_INET6, SOCK_STREAM);
	script_event(s, (struct event){.id = WIRE_CONNECT, .fd = 5, .data = addr, .data_len = (uint32_t)len});
	return model_conn(s->model, 100, 5)->peer;
}

static void families(void **state)
{
	struct script s;
	struct sockaddr_in in = script_address("127.0.0.1", 8080);
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
	const size_t path = offsetof(struct sockaddr_un, sun_path);

	(void)state;
	script_init(&s);
	assert_string_equal(peer_of(&s, &in, sizeof(in)), "127.0.0.1:8080");
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
	assert_string_equal(peer_of(&s, &in6, sizeof(in6)), "[2001:db8::1]:443");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6.sin6_addr), 1);
	assert_string_equal(peer_of(&s, &in6, sizeof(in6)), "10.1.2.3:443");
	assert_string_equal(peer_of(&s, &sun, path + 7), "unix:/run/x");
	memcpy(sun.sun_path, "\0bus\1", 6);
	assert_string_equal(peer_of(&s, &sun, path + 5), "unix:@bus?");
	memset(sun.sun_path, 'a', sizeof(sun.sun_path)); /* no terminator */
	assert_int_equal(strlen(peer_of(&s, &sun, sizeof(sun))), 5 + sizeof(sun.sun_path));
	script_done(&s);
}

static void addresses_cut_short_or_strange(void **state)
{
	struct script s;
	struct sockaddr_in in = script_address("127.0.0.1", 8080);
	uint8_t junk[400];

	(void)state;
	script_init(&s);
	for (size_t len = 0; len < sizeof(in); len++)
		assert_string_equal(peer_of(&s, &in, len), "");
	memset(junk, 0xee, sizeof(junk));
	assert_string_equal(peer_of(&s, junk, sizeof(junk)), "");
	script_done(&s);
}

static void callers_of_a_server_keep_their_address(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_resolve(&s, "client.test", "10.0.0.7", 0);
	script_listen(&s, 3, 80);
	script_accept(&s, 3, 4, "10.0.0.7", 5000);
	assert_string_equal(model_conn(s.model, 100, 4)->peer, "10.0.0.7:5000");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(families), cmocka_unit_test(addresses_cut_short_or_strange),
	  cmocka_unit_test(callers_of_a_server_keep_their_address))
