/* DNS over TCP; over UDP, one message a call. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("\000!\000\001\001\000\000\001\000\000\000\000\000\000\003Api\007Example\003com\000\000\001\000\001\000"
	       "!\000\002\001\000\000\001\000\000\000\000\000\000\003api\007example\003com\000\000\034\000\001"),
	SERVER("\000!\000\002\201\200\000\001\000\000\000\000\000\000\003api\007example\003com\000\000\034\000\001"),
	SERVER("\0001\000\001\201\200\000\001\000\001\000\000\000\000\003Api\007example\003com\000\000\001\000\001\300"
	       "\014\000\001\000\001\000\000\000\001\000\004\177\000\000\001"),
	CLIENT("\000$\000\003\001\000\000\001\000\000\000\000\000\000\006nobody\007example\003com\000\000\017\000\001"),
	SERVER("\000$\000\003\201\203\000\001\000\000\000\000\000\000\006nobody\007example\003com\000\000\017\000\001"),
};

static const struct transcript transcript = {
	.protocol = "dns",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 3,
	.expect = "AAAA api.example.com - done\n"
		  "A api.example.com - done\n"
		  "MX nobody.example.com NXDOMAIN done\n",
};

static void over_udp(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	script_socket_of(&y.s, 6, AF_INET, SOCK_DGRAM);
	script_connect(&y.s, 6, "10.0.0.53", 53, 0);
	script_data(&y.s, WIRE_WRITE, 6, steps[3].bytes + 2, steps[3].len - 2, steps[3].len - 2, 0);
	script_data(&y.s, WIRE_READ, 6, steps[4].bytes + 2, steps[4].len - 2, steps[4].len - 2, 0);
	assert_string_equal(y.log, "MX nobody.example.com NXDOMAIN done\n");
	play_done(&y);
}

/* Other datagrams are none of anybody's. */
static void noise(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	script_socket_of(&y.s, 6, AF_INET, SOCK_DGRAM);
	script_data(&y.s, WIRE_WRITE, 6, "GET / HTTP/1.1\r\n\r\n", 18, 18, 0);
	script_data(&y.s, WIRE_WRITE, 6, steps[3].bytes + 2, 14, 14, 0);
	assert_int_equal(y.started, 0);
	play_done(&y);
}

#define ASK(id, type) "\000" id "\001\000\000\001\000\000\000\000\000\000\0040/25\004test\000" type "\000\001"

static void udp_start(struct play *y)
{
	play_init(y, PLAY_CLIENT);
	script_socket_of(&y->s, 6, AF_INET, SOCK_DGRAM);
	script_connect(&y->s, 6, "10.0.0.53", 53, 0);
	/* a usual one first: by it the protocol is known */
	script_data(&y->s, WIRE_WRITE, 6, steps[3].bytes + 2, steps[3].len - 2, steps[3].len - 2, 0);
}

#define SEND(y, text) script_data(&(y)->s, WIRE_WRITE, 6, text, sizeof(text) - 1, sizeof(text) - 1, 0)
#define RECEIVE(y, text) script_data(&(y)->s, WIRE_READ, 6, text, sizeof(text) - 1, sizeof(text) - 1, 0)

/* A type without a name here, and a name as reverse look-ups have it (RFC 2317); asked again; a head as the whole answer. */
static void corners(void **state)
{
	struct play y;

	(void)state;
	udp_start(&y);
	SEND(&y, ASK("\007", "\000\064"));
	SEND(&y, ASK("\010", "\377\001"));
	SEND(&y, ASK("\007", "\000\064"));
	assert_string_equal(y.log, "TLSA 0/25.test - abandoned\n");
	RECEIVE(&y, "\000\007\201\200\000\001\000\000\000\000\000\000\0040/25\004test\000\000\064\000\001");
	RECEIVE(&y, "\000\011\201\201\000\000\000\000\000\000\000\000"); /* of none */
	RECEIVE(&y, "\000\010\201\205\000\000\000\000\000\000\000\000");
	assert_string_equal(y.log, "TLSA 0/25.test - abandoned\nTLSA 0/25.test - done\nTYPE65281 0/25.test REFUSED done\n");
	play_done(&y);
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(over_udp), cmocka_unit_test(noise), cmocka_unit_test(corners))
