/* AMQP 0-9-1 messages. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("AMQP\000\000\011\001"),
	SERVER("\001\000\000\000\000\000\022\000\012\000\012\000\011\000\000\000\000\000\000\000\000\000\000\000\000\316"),
	CLIENT("\001\000\000\000\000\000\036\000\012\000\013\000\000\000\000\005PLAIN\000\000\000\006s3cr3t\005en_US\316"),
	SERVER("\001\000\000\000\000\000\014\000\012\000\036\007\377\000\002\000\000\000<\316"),
	CLIENT("\001\000\001\000\000\000\027\000<\000(\000\000\004shop\012orders.new\000\316\002\000\001\000\000\000\031"
	       "\000<\000\000\000\000\000\000\000\000\000\014\200\000\012text/plain\316\003\000\001\000\000\000\006s3"
	       "cr3t\316\003\000\001\000\000\000\006s3cr3t\316"),
	CLIENT("\001\000\001\000\000\000\015\000<\000(\000\000\000\004jobs\000\316\002\000\001\000\000\000\031\000<\000"
	       "\000\000\000\000\000\000\000\000\000\200\000\012text/plain\316"), /* empty, by the default exchange */
	CLIENT("\001\000\001\000\000\000\021\000<\000\024\000\000\004jobs\000\000\000\000\000\000\316"),
	SERVER("\001\000\001\000\000\000\011\000<\000\025\004ctag\316"),
	SERVER("\001\000\001\000\000\000\030\000<\000<\004ctag\000\000\000\000\000\000\000\001\000\000\004jobs\316\002"
	       "\000\001\000\000\000\031\000<\000\000\000\000\000\000\000\000\000\006\200\000\012text/plain\316\003\000"
	       "\001\000\000\000\006s3cr3t\316"),
	CLIENT("\001\000\001\000\000\000\015\000<\000P\000\000\000\000\000\000\000\001\000\316"),
	CLIENT("\001\000\001\000\000\000\014\000<\000F\000\000\004jobs\000\316"),
	SERVER("\001\000\001\000\000\000\005\000<\000H\000\316"),
	CLIENT("\001\000\001\000\000\000\014\000<\000F\000\000\004jobs\000\316"),
	SERVER("\001\000\001\000\000\000\027\000<\000G\000\000\000\000\000\000\000\002\000\000\004jobs\000\000\000\000"
	       "\316\002\000\001\000\000\000\031\000<\000\000\000\000\000\000\000\000\000\006\200\000\012text/plain\316"
	       "\003\000\001\000\000\000\006s3cr3t\316"),
};

static const struct transcript transcript = {
	.protocol = "amqp",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 12,
	.expect = "publish shop - done\n"
		  "publish jobs - done\n"
		  "deliver jobs - done\n"
		  "get jobs - done\n"
		  "get jobs - done\n",
};

#define DELIVER(tag, text) \
	"\001\000\001\000\000\000\030\000<\000<\004ctag\000\000\000\000\000\000\000" tag \
	"\000\000\004jobs\316\002\000\001\000\000\000" \
	"\016\000<\000\000\000\000\000\000\000\000\000\006\000\000\316\003\000\001\000\000\000\006" text "\316"
#define ACK(tag) "\001\000\001\000\000\000\015\000<\000P\000\000\000\000\000\000\000" tag "\000\316"

static void opened(struct play *y)
{
	static const char channel_open[] = "\001\000\001\000\000\000\005\000\024\000\012\000\316";

	play_init(y, PLAY_CLIENT);
	play_steps(y, PLAY_CLIENT, 0, 4);
	play_bytes(y, PLAY_CLIENT, 'C', channel_open, sizeof(channel_open) - 1, sizeof(channel_open) - 1);
}

#define SAY(y, side, text) play_bytes(y, PLAY_CLIENT, side, text, sizeof(text) - 1, sizeof(text) - 1)

/* What lay beyond the captured bytes of a call is told by the next delivery's tag, and by the client's word that it has one. */
static void hidden_deliveries(void **state)
{
	static const char two[] = DELIVER("\001", "s3cr3t") DELIVER("\002", "s3cr3t");
	/* The middle of a body, and where one was found that begins behind it. */
	static const char later[] = "cr3ts3cr3t\316" DELIVER("\005", "s3cr3t");
	struct play y;

	(void)state;
	opened(&y);
	play_bytes(&y, PLAY_CLIENT, 'S', two, sizeof(two) - 1, sizeof(two) + 300);
	assert_string_equal(y.log, "deliver jobs - done\ndeliver jobs - done\n");
	SAY(&y, 'S', later);
	assert_int_equal(y.ended, 5);
	SAY(&y, 'C', ACK("\005"));
	assert_int_equal(y.ended, 5);
	SAY(&y, 'C', ACK("\007"));
	assert_string_equal(y.log, "deliver jobs - done\ndeliver jobs - done\ndeliver jobs - done\ndeliver jobs - done\n"
				   "deliver jobs - done\ndeliver jobs - done\ndeliver jobs - done\n");
	/* A channel that is opened again counts from one; a number beyond reason is none. */
	SAY(&y, 'C', "\001\000\001\000\000\000\005\000\024\000\012\000\316");
	SAY(&y, 'S', DELIVER("\001", "s3cr3t"));
	assert_int_equal(y.ended, 8);
	SAY(&y, 'C', "\001\000\001\000\000\000\015\000<\000P\177\000\000\000\000\000\000\001\000\316");
	assert_int_equal(y.ended, 8);
	play_done(&y);
}

/* The client has what it acknowledges, also where its end was not seen. */
static void acknowledged(void **state)
{
	static const char cut[] =
		"\001\000\001\000\000\000\030\000<\000<\004ctag\000\000\000\000\000\000\000\001\000\000\004jobs\316";
	struct play y;

	(void)state;
	opened(&y);
	SAY(&y, 'S', cut);
	assert_int_equal(y.ended, 0);
	SAY(&y, 'C', ACK("\001"));
	assert_string_equal(y.log, "deliver jobs - done\n");
	play_done(&y);
}

/* A consumer and basic.get on one channel: a delivery between question and answer is no answer. */
static void get_beside_consumer(void **state)
{
	struct play y;

	(void)state;
	opened(&y);
	SAY(&y, 'C', "\001\000\001\000\000\000\014\000<\000F\000\000\004jobs\000\316");
	SAY(&y, 'S', DELIVER("\001", "s3cr3t"));
	assert_string_equal(y.log, "deliver jobs - done\n");
	SAY(&y, 'S', "\001\000\001\000\000\000\005\000<\000H\000\316");
	assert_string_equal(y.log, "deliver jobs - done\nget jobs - done\n");
	play_done(&y);
}

/* A queue that is not there: the server closes the channel, and says why; other channels go on. */
static void refused(void **state)
{
	struct play y;

	(void)state;
	opened(&y);
	SAY(&y, 'C', "\001\000\001\000\000\000\014\000<\000F\000\000\004jobs\000\316");
	SAY(&y, 'C', "\001\000\002\000\000\000\014\000<\000F\000\000\004work\000\316");
	SAY(&y, 'S', "\001\000\001\000\000\000\022\000\024\000(\001\224\007s3cr3t!\000<\000F\316");
	assert_string_equal(y.log, "get jobs 404 done\n");
	SAY(&y, 'S', "\001\000\000\000\000\000\022\000\012\0002\001\100\007s3cr3t!\000\000\000\000\316");
	assert_string_equal(y.log, "get jobs 404 done\nget work 320 done\n");
	play_done(&y);
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(hidden_deliveries), cmocka_unit_test(acknowledged),
	  cmocka_unit_test(get_beside_consumer), cmocka_unit_test(refused))
