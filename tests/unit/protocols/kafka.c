/* Kafka's requests, in old and new versions. */
#include <errno.h>

#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("\000\000\000\023\000\022\000\003\000\000\000\001\000\003app\000\002x\0021\000"),
	SERVER("\000\000\000\014\000\000\000\001\000\000\001\000\000\000\000\000"),
	CLIENT("\000\000\000\021\000\003\000\001\000\000\000\002\000\003app\000\000\000\000"),
	SERVER("\000\000\000\020\000\000\000\002\000\000\000\000\000\000\000\000\000\000\000\000"),
	CLIENT("\000\000\0003\000\000\000\007\000\000\000\003\000\003app\377\377\000\001\000\000\003\350\000\000\000\001"
	       "\000\006orders\000\000\000\001\000\000\000\000\000\000\000\006s3cr3t\000\000\000>\000\001\000\004\000"
	       "\000\000\004\000\003app\377\377\377\377\000\000\001\364\000\000\000\001\000\020\000\000\000\000\000\000"
	       "\001\000\006orders\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\020\000\000"),
	SERVER("\000\000\0006\000\000\000\003\000\000\000\001\000\006orders\000\000\000\001\000\000\000\000\000\000\000"
	       "\000\000\000\000\000\000\005\377\377\377\377\377\377\377\377\000\000\000\000\000\000\000\000\000\000\000"
	       "\000"),
	SERVER("\000\000\000X\000\000\000\004\000\000\000\000\000\000\000\001\000\006orders\000\000\000\001\000\000\000"
	       "\000\000\006cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t"),
	CLIENT("\000\000\0001\000\000\000\007\000\000\000\005\000\003app\377\377\000\000\000\000\003\350\000\000\000\001"
	       "\000\004logs\000\000\000\001\000\000\000\000\000\000\000\006s3cr3t"), /* no answer is asked for */
	CLIENT("\000\000\000,\000\000\000\011\000\000\000\006\000\003app\000\000\000\001\000\000\003\350\002\007order"
	       "s\002\000\000\000\000\007s3cr3t\000\000\000"),
	SERVER("\000\000\0000\000\000\000\006\000\002\007orders\002\000\000\000\000\000\006\000\000\000\000\000\000\000"
	       "\005\377\377\377\377\377\377\377\377\000\000\000\000\000\000\000\000\001\001\000\000"),
};

static const struct transcript transcript = {
	.protocol = "kafka",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 8,
	.expect = "api_versions  - done\n"
		  "metadata  - done\n"
		  "send orders - done\n"
		  "poll orders 6 done\n"
		  "send logs - done\n"
		  "send orders 6 done\n",
};

/* A consumer that leaves has asked for more: that is no failure. A reset is. */
static void consumers_leave(void **state)
{
	static const char fetch[] =
		"\000\000\000>\000\001\000\004\000\000\000\004\000\003app\377\377\377\377\000\000\001\364\000\000\000\001\000"
		"\020\000\000\000\000\000\000\001\000\006orders\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\020\000\000";

	(void)state;
	for (unsigned int reset = 0; reset < 2; reset++) {
		struct play y;

		play_init(&y, PLAY_CLIENT);
		play_steps(&y, PLAY_CLIENT, 0, 2);
		play_bytes(&y, PLAY_CLIENT, 'C', fetch, sizeof(fetch) - 1, sizeof(fetch) - 1);
		if (reset)
			script_event(&y.s,
				     (struct event){
					     .id = WIRE_READ, .fd = 5, .ret = -1, .err = ECONNRESET, .flags = WIRE_F_SOCKET_CALL});
		else
			script_event(&y.s, (struct event){.id = WIRE_CLOSE, .fd = 5});
		assert_string_equal(y.log, reset ? "api_versions  - done\npoll orders - reset\n"
						 : "api_versions  - done\npoll orders - done\n");
		play_done(&y);
	}
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(consumers_leave))
