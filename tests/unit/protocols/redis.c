/* Redis commands and answers. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("*3\r\n$3\r\nSET\r\n$8\r\ns3cr3t-k\r\n$8\r\ns3cr3t-v\r\n"),
	SERVER("+OK\r\n"),
	/* pipelined, in lower case, binary */
	CLIENT("*2\r\n$3\r\nget\r\n$8\r\ns3cr3t-k\r\n*2\r\n$4\r\nHGET\r\n$8\r\ns3cr3t\n\r\r\n*1\r\n$4\r\nPING\r\n"),
	SERVER("$8\r\ns3cr3t-v\r\n-WRONGTYPE Operation against s3cr3t\r\n+PONG\r\n"),
	/* nested answers, RESP3 with an attribute and a push between */
	CLIENT("*4\r\n$6\r\nLRANGE\r\n$1\r\na\r\n$1\r\n0\r\n$2\r\n-1\r\n"),
	SERVER("|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n*3\r\n:1\r\n*2\r\n$-"
	       "1\r\n_"
	       "\r\n#t\r\n"),
	CLIENT("*3\r\n$9\r\nSUBSCRIBE\r\n$2\r\nc1\r\n$2\r\nc2\r\n"),
	SERVER("*3\r\n$9\r\nsubscribe\r\n$2\r\nc1\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$2\r\nc2\r\n:2\r\n"),
	SERVER("*3\r\n$7\r\nmessage\r\n$2\r\nc1\r\n$6\r\ns3cr3t\r\n"),
	CLIENT("*1\r\n$11\r\nUNSUBSCRIBE\r\n"),
	SERVER("*3\r\n$11\r\nunsubscribe\r\n$2\r\nc1\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$2\r\nc2\r\n:0\r\n"),
	CLIENT("*2\r\n$4\r\nINCR\r\n$6\r\ns3cr3t\r\n"),
	SERVER(":12\r\n"),
};

static const struct transcript transcript = {
	.protocol = "redis",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 11,
	.expect = "SET  - done\nGET  - done\nHGET  WRONGTYPE done\nPING  - done\nLRANGE  - done\nSUBSCRIBE  - done\n"
		  "UNSUBSCRIBE  - done\nINCR  - done\n",
};

static void large_values_are_skipped(void **state)
{
	struct play y;
	static const char head[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n";

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'C', head, sizeof(head) - 1, sizeof(head) - 1 + 60000);
	play_bytes(&y, PLAY_CLIENT, 'C', "", 0, 40002);
	play_bytes(&y, PLAY_CLIENT, 'S', "+OK\r\n", 5, 5);
	assert_string_equal(y.log, "SET  - done\n");
	play_done(&y);
}

static void silent_clients(void **state)
{
	static const char off[] = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
	static const char on[] = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'C', off, sizeof(off) - 1, sizeof(off) - 1);
	assert_int_equal(y.ended, 2);
	play_bytes(&y, PLAY_CLIENT, 'C', on, sizeof(on) - 1, sizeof(on) - 1);
	assert_int_equal(y.ended, 2);
	play_bytes(&y, PLAY_CLIENT, 'S', "+OK\r\n", 5, 5);
	assert_int_equal(y.ended, 3);
	play_done(&y);
}

static void pipelines_are_bounded(void **state)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	y.quiet = true;
	for (unsigned int i = 0; i <= LIMIT_OPEN_CALLS; i++)
		play_bytes(&y, PLAY_CLIENT, 'C', ping, sizeof(ping) - 1, sizeof(ping) - 1);
	assert_int_equal(y.s.counters.limit[LIMIT_REACHED_PIPELINE], 1);
	play_done(&y);
}

/* Answers in the part of a call that was not captured are no failures, and what is asked next is not taken for them. */
static void answers_out_of_sight(void **state)
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", ping[] = "*1\r\n$4\r\nPING\r\n";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	for (int i = 0; i < 3; i++)
		play_bytes(&y, PLAY_CLIENT, 'C', get, sizeof(get) - 1, sizeof(get) - 1);
	play_bytes(&y, PLAY_CLIENT, 'S', "$9\r\n", 4, 50000);
	assert_int_equal(y.ended, 0);
	play_bytes(&y, PLAY_CLIENT, 'C', ping, sizeof(ping) - 1, sizeof(ping) - 1);
	assert_int_equal(y.ended, 3);
	play_bytes(&y, PLAY_CLIENT, 'S', "+PONG\r\n", 7, 7);
	assert_int_equal(y.ended, 4);
	assert_null(strstr(y.log, "abandoned"));
	play_done(&y);
}

/* A pipeline longer than what is captured of a call: the answers tell how many commands there were. */
static void more_in_one_call_than_is_captured(void **state)
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nget\r\n$1\r\nb\r\n*2\r\n$3\r\nGE";
	static const char mixed[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n";
	static const char answers[] = "$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n-WRONGTYPE s3cr3t\r\n";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'C', get, sizeof(get) - 1, 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', answers, sizeof(answers) - 1, sizeof(answers) - 1);
	play_bytes(&y, PLAY_CLIENT, 'C', mixed, sizeof(mixed) - 1, 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', answers, sizeof(answers) - 1, sizeof(answers) - 1);
	assert_string_equal(y.log, "GET  - done\nGET  - done\nGET  - done\nGET  WRONGTYPE done\n"
				   "GET  - done\nINCR  - done\n_OTHER  - done\n_OTHER  WRONGTYPE done\n");
	play_done(&y);
}

TEST_MAIN(cmocka_unit_test(more_in_one_call_than_is_captured), TRANSCRIPT_TESTS, cmocka_unit_test(answers_out_of_sight),
	  cmocka_unit_test(large_values_are_skipped), cmocka_unit_test(silent_clients), cmocka_unit_test(pipelines_are_bounded))
