/* memcached's commands, text and meta. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("set s3cr3t 0 60 6\015\012s3cr3t\015\012"),
	SERVER("STORED\015\012"),
	CLIENT("get s3cr3t a b\015\012set a 0 0 2 noreply\015\012hi\015\012incr s3cr3t 1\015\012"), /* pipelined; one of them silent */
	SERVER("VALUE s3cr3t 0 6\015\012s3cr3t\015\012END\015\012NOT_FOUND\015\012"),
	CLIENT("ms s3cr3t 2 T90\015\012hi\015\012mg s3cr3t v\015\012md s3cr3t q\015\012mn\015\012"), /* meta; the quiet one has nothing to say */
	SERVER("HD\015\012VA 2\015\012hi\015\012MN\015\012"),
	CLIENT("replace s3cr3t 0 0 2\015\012hi\015\012"),
	SERVER("SERVER_ERROR out of memory storing s3cr3t\015\012"),
};

static const struct transcript transcript = {
	.protocol = "memcached",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 6,
	.expect = "set  - done\n"
		  "set  - done\n"
		  "get  - done\n"
		  "incr  - done\n"
		  "ms  - done\n"
		  "mg  - done\n"
		  "md  - done\n"
		  "mn  - done\n"
		  "replace  SERVER_ERROR done\n",
};

/* The longest key that there may be, and flags behind many others. */
static void long_lines(void **state)
{
	char line[600], key[251];
	struct play y;

	(void)state;
	memset(key, 'k', 250);
	key[250] = '\0';
	play_init(&y, PLAY_CLIENT);
	int n = snprintf(line, sizeof(line),
			 "set %s 0 0 6\r\nget me\r\n"
			 "mg %s s v f c t k h l O123 q\r\nmn\r\n",
			 key, key);
	play_bytes(&y, PLAY_CLIENT, 'C', line, (size_t)n, (size_t)n);
	play_bytes(&y, PLAY_CLIENT, 'S', "STORED\r\nMN\r\n", 12, 12);
	play_bytes(&y, PLAY_CLIENT, 'C', "quit\r\n", 6, 6); /* is no request */
	assert_string_equal(y.log, "set  - done\nmg  - done\nmn  - done\n");
	assert_int_equal(y.started, y.ended);
	play_done(&y);
}

/* set_many(): more in one call than is captured. The answers tell how many there were. */
static void more_in_one_call_than_is_captured(void **state)
{
	static const char set[] = "set a 0 0 6\r\ns3cr3t\r\nset b 0 0 6\r\ns3cr3t\r\nset c 0 0 6\r\ns3c";
	static const char get[] = "version\r\nget a\r\nge";
	static const char stored[] = "STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nSERVER_ERROR s3cr3t\r\n";
	static const char got[] = "VERSION 1.6\r\nEND\r\nVALUE s3cr3t 0 6\r\ns3cr3t\r\nEND\r\n";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'C', set, sizeof(set) - 1, 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', stored, sizeof(stored) - 1, sizeof(stored) - 1);
	play_bytes(&y, PLAY_CLIENT, 'C', get, sizeof(get) - 1, 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', got, sizeof(got) - 1, sizeof(got) - 1);
	assert_string_equal(y.log, "set  - done\nset  - done\nset  - done\nset  - done\nset  SERVER_ERROR done\n"
				   "version  - done\nget  - done\n_OTHER  - done\n");
	play_done(&y);
}

TEST_MAIN(cmocka_unit_test(more_in_one_call_than_is_captured), TRANSCRIPT_TESTS, cmocka_unit_test(long_lines))
