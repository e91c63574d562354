/* PostgreSQL's messages: simple queries, prepared ones, COPY, errors. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("\000\000\000 \000\003\000\000user\000bob\000database\000shop\000\000"),
	SERVER("R\000\000\000\010\000\000\000\000S\000\000\000\026server_version\00015\000Z\000\000\000\005I"),
	CLIENT("Q\000\000\0008select * from users where name = 's3cr3t' -- s3cr3t\000"),
	SERVER("T\000\000\000\033\000\001id\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
	       "D\000\000\000\020\000\001\000\000\000\006s3cr3tC\000\000\000\015SELECT 1\000Z\000\000\000\005I"),
	CLIENT("P\000\000\0002s1\000INSERT INTO orders VALUES ($1, 's3cr3t')\000\000\000B\000\000\000\030\000s1\000\000"
	       "\000\000\001\000\000\000\006s3cr3t\000\000E\000\000\000\011\000\000\000\000\000S\000\000\000\004"), /* Parse, Bind, Execute, Sync */
	SERVER("1\000\000\000\0042\000\000\000\004C\000\000\000\017INSERT 0 1\000Z\000\000\000\005I"),
	CLIENT("B\000\000\000\030\000s1\000\000\000\000\001\000\000\000\006s3cr3t\000\000E\000\000\000\011\000\000\000"
	       "\000\000E\000\000\000\011\000\000\000\000\000S\000\000\000\004"), /* twice in one group: the first fails, the second is skipped */
	SERVER("2\000\000\000\004E\000\000\000%SERROR\000C23505\000Mduplicate s3cr3t\000\000Z\000\000\000\005I"),
	CLIENT("Q\000\000\000\032copy t (a) from stdin\000"),
	SERVER("G\000\000\000\011\000\000\001\000\000"),
	CLIENT("d\000\000\000\013s3cr3t\012c\000\000\000\004"),
	SERVER("C\000\000\000\013COPY 1\000Z\000\000\000\005I"),
	CLIENT("P\000\000\000\032\000select nope from t\000\000\000D\000\000\000\006S\000S\000\000\000\004"), /* only prepared, and refused */
	SERVER("E\000\000\000%SERROR\000C42703\000Mduplicate s3cr3t\000\000Z\000\000\000\005I"),
	CLIENT("P\000\000\000\031\000copy t from stdin\000\000\000B\000\000\000\014\000\000\000\000\000\000\000\000"
	       "E\000\000\000\011\000\000\000\000\000S\000\000\000\004"), /* COPY by an execution: its Sync counts for nothing */
	SERVER("1\000\000\000\0042\000\000\000\004G\000\000\000\011\000\000\001\000\000"),
	CLIENT("d\000\000\000\013s3cr3t\012c\000\000\000\004S\000\000\000\004"),
	SERVER("C\000\000\000\013COPY 1\000Z\000\000\000\005I"),
	CLIENT("Q\000\000\000\033update nothing set a=1\000"),
	SERVER("E\000\000\000%SERROR\000C42P01\000Mduplicate s3cr3t\000\000Z\000\000\000\005I"),
};

static const struct transcript transcript = {
	.protocol = "postgresql",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 18,
	.expect = "SELECT users - done\n"
		  "INSERT orders - done\n"
		  "INSERT orders 23505 done\n"
		  "INSERT orders - abandoned\n"
		  "COPY t - done\n"
		  "SELECT t 42703 done\n"
		  "COPY t - done\n"
		  "UPDATE nothing 42P01 done\n",
};

static struct request seen;

static void copy_end(void *ctx, struct request *r)
{
	(void)ctx;
	seen = *r;
}

static void what_a_request_says(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	assert_int_equal(model_observe(y.s.model, &(struct observer){.request_end = copy_end}, NULL), 0);
	play_steps(&y, PLAY_CLIENT, 0, 4);
	assert_string_equal(seen.system, "postgresql");
	assert_string_equal(seen.space, "shop");
	assert_string_equal(seen.summary, "SELECT users");
	assert_string_equal(seen.text, "select * from users where name = ?");
	assert_true(seen.area == AREA_DB && !seen.server && !seen.failed && seen.answered && seen.operation_key);
	play_steps(&y, PLAY_CLIENT, 4, transcript.n);
	assert_true(seen.failed && !seen.transient);
	play_done(&y);
}

/* Answers whose middle was not captured: the next query shows that the one before is over. */
static void results_larger_than_what_is_captured(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 3);
	play_bytes(&y, PLAY_CLIENT, 'S', transcript.steps[3].bytes, transcript.steps[3].len - 20, 9000);
	assert_int_equal(y.ended, 0);
	play_steps(&y, PLAY_CLIENT, transcript.last, transcript.n);
	assert_string_equal(y.log, "SELECT users - done\nUPDATE nothing 42P01 done\n");
	play_done(&y);
}

static void encryption_is_asked_for_and_refused(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'C', "\0\0\0\x08\x04\xd2\x16\x2f", 8, 8);
	play_bytes(&y, PLAY_CLIENT, 'S', "N", 1, 1);
	play_steps(&y, PLAY_CLIENT, 0, transcript.n);
	assert_string_equal(y.log, transcript.expect);
	play_done(&y);
}

#define INSERT_ONCE "B\000\000\000\030\000s1\000\000\000\000\001\000\000\000\006s3cr3t\000\000E\000\000\000\011\000\000\000\000\000"
#define INSERTED "2\000\000\000\004C\000\000\000\017INSERT 0 1\000"

/* executemany(): more messages in one call than are captured. Their answers tell how many there were, and what. */
static void more_in_one_call_than_is_captured(void **state)
{
	static const char client[] =
		"P\000\000\0002s1\000INSERT INTO orders VALUES ($1, 's3cr3t')\000\000\000" INSERT_ONCE INSERT_ONCE;
	static const char server[] =
		"1\000\000\000\004" INSERTED INSERTED INSERTED INSERTED
		"2\000\000\000\004C\000\000\000\015UPDATE 7\000E\000\000\000%SERROR\000C23505\000Mduplicate s3cr3t\000\000"
		"Z\000\000\000\005I";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 2);
	play_bytes(&y, PLAY_CLIENT, 'C', client, sizeof(client) - 1, sizeof(client) - 1 + 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', server, sizeof(server) - 1, sizeof(server) - 1);
	assert_string_equal(y.log, "INSERT orders - done\nINSERT orders - done\nINSERT orders - done\nINSERT orders - done\n"
				   "UPDATE  - done\n  23505 done\n");
	play_steps(&y, PLAY_CLIENT, transcript.last, transcript.n);
	assert_int_equal(y.ended, 7);
	/* Nothing more is made of answers once the place is found again. */
	play_bytes(&y, PLAY_CLIENT, 'S', server, sizeof(server) - 1, sizeof(server) - 1);
	assert_int_equal(y.ended, 7);
	play_done(&y);
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(more_in_one_call_than_is_captured), cmocka_unit_test(what_a_request_says),
	  cmocka_unit_test(results_larger_than_what_is_captured), cmocka_unit_test(encryption_is_asked_for_and_refused))
