/* MySQL's packets: text queries, prepared ones, errors. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	SERVER("J\000\000\000\0128.0.36\000\011\000\000\000abcdefgh\000\377\367!"
	       "\002\000\377\201\025\000\000\000\000\000"
	       "\000\000\000\000\000ijklmnopqrst\000mysql_native_password\000"),
	CLIENT("F\000\000\001\010\202\010\000\000\000\000\001!"
	       "\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
	       "\000\000\000\000\000\000\000\000\000bob\000\006s3cr3tshop\000mysql_native_"
	       "password\000"),
	SERVER("\007\000\000\002\000\000\000\002\000\000\000"),
	CLIENT("#\000\000\000\003SELECT a FROM t WHERE n = \"s3cr3t\""),
	SERVER("\001\000\000\001\001\027\000\000\002\003def\000\000\000\001a\000\014\077\000\013"
	       "\000\000\000\003\000\000"
	       "\000\000\000\005\000\000\003\376\000\000\002\000\007\000\000\004\006s3cr3t\001\000"
	       "\000\005\373\005\000"
	       "\000\006\376\000\000\002\000"),
	CLIENT("\001\000\000\000\016"), /* a ping is no request */
	SERVER("\007\000\000\001\000\000\000\002\000\000\000"),
	CLIENT("(\000\000\000\026INSERT INTO orders VALUES (\077, 's3cr3t')"), /* prepare */
	SERVER("\014\000\000\001\000\007\000\000\000\000\000\001\000\000\000\000\027\000\000\002"
	       "\003def\000\000\000\001"
	       "a\000\014\077\000\013\000\000\000\003\000\000\000\000\000\005\000\000\003\376\000"
	       "\000\002\000"),
	CLIENT("\025\000\000\000\027\007\000\000\000\000\001\000\000\000\000\001\375\000\006s3cr3"
	       "t"),
	SERVER("\007\000\000\001\000\000\000\002\000\000\000"),
	CLIENT("\025\000\000\000\372\007\000\000\000\000\001\000\000\000\000\001\375\000\006s3cr3"
	       "t"), /* many rows at once */
	SERVER("\007\000\000\001\000\000\000\002\000\000\000"),
	CLIENT("\020\000\000\000\026SELECT b FROM "
	       "u\012\000\000\000\027\377\377\377\377\000\001\000\000\000"), /* and executed at once */
	SERVER("\014\000\000\001\000\010\000\000\000\001\000\000\000\000\000\000\027\000\000\002"
	       "\003def\000\000\000\001a\000\014\077\000\013\000\000\000\003\000\000\000\000\000"
	       "\005\000\000\003\376\000\000\002\000"
	       "\001\000\000\001\001\027\000\000\002\003def\000\000\000\001a\000\014\077\000\013"
	       "\000\000\000\003\000\000\000\000\000\005\000\000\003\376\000\000\002\000\011\000"
	       "\000\004\000\000\006s3cr3t"
	       "\005\000\000\005\376\000\000\002\000"),
	CLIENT(" \000\000\000\003DELETE FROM t WHERE a = 5550000"),
	SERVER("\037\000\000\001\377&\004#23000Duplicate entry s3cr3t"),
	CLIENT("\033\000\000\000\003UPDATE stock SET n = n - 1"),
	SERVER("\037\000\000\001\377\275\004#23000Duplicate entry s3cr3t"),
};

static const struct transcript transcript = {
	.protocol = "mysql",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 17,
	.expect = "SELECT t - done\n"
		  "INSERT orders - done\n"
		  "INSERT orders - done\n"
		  "SELECT u - done\n"
		  "DELETE t 1062 done\n"
		  "UPDATE stock 1213 done\n",
};

/* MySQL 8 puts values in front of a query, where both sides agreed; MariaDB does not repeat columns that it described before. */
static void what_was_agreed_on(void **state)
{
	static const char greeting[] =
		"J\000\000\000\0128.0.36\000\011\000\000\000abcdefgh\000\377\367!\002\000\377\211\025\000\000\000\000\000"
		"\000\000\000\000\000ijklmnopqrst\000mysql_native_password\000";
	static const char login[] =
		"F\000\000\001\010\202\010\010\000\000\000\001!\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000bob\000\006s3cr3tshop\000mysql_native_password\000";
	static const char ok[] = "\007\000\000\002\000\000\000\002\000\000\000";
	static const char query[] = "\022\000\000\000\003\000\001SELECT a FROM t";
	static const char without_columns[] = "\002\000\000\001\001\000\002\000\000\002\0011\005\000\000\003\376\000\000\002\000";
	static const char valued[] = "\017\000\000\000\003\001\001\000\001\003\000\001vs3cr3t";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_bytes(&y, PLAY_CLIENT, 'S', greeting, sizeof(greeting) - 1, sizeof(greeting) - 1);
	play_bytes(&y, PLAY_CLIENT, 'C', login, sizeof(login) - 1, sizeof(login) - 1);
	play_bytes(&y, PLAY_CLIENT, 'S', ok, sizeof(ok) - 1, sizeof(ok) - 1);
	play_bytes(&y, PLAY_CLIENT, 'C', query, sizeof(query) - 1, sizeof(query) - 1);
	play_bytes(&y, PLAY_CLIENT, 'S', without_columns, sizeof(without_columns) - 1, sizeof(without_columns) - 1);
	assert_string_equal(y.log, "SELECT t - done\n");
	play_bytes(&y, PLAY_CLIENT, 'C', valued, sizeof(valued) - 1, sizeof(valued) - 1);
	assert_int_equal(y.started, 2);
	play_done(&y);
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(what_was_agreed_on))
