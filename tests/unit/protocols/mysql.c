/* MySQL's packets: text queries, prepared ones, errors. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	SERVER("J\000\000\000\0128.0.36\000\011\000\000\000abcdefgh\000\377\367!\002\000\377\201\025\000\000\000\000\000"
	       "\000\000\000\000\000ijklmnopqrst\000mysql_native_password\000"),
	CLIENT("F\000\000\001\010\202\010\000\000\000\000\001!\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
	       "\000\000\000\000\000\000\000\000\000bob\000\006s3cr3tshop\000mysql_native_password\000"),
	SERVER("\007\000\000\002\000\000\000\002\000\000\000"),
	CLIENT("#\000\000\000\003SELECT a FROM t WHERE n = \"s3cr3t\""),
	SERVER("\001\000\000\001\001\027\000\000\002\003def\000\000\000\001a\000\014\077\000\013\000\000\000\003\000\000"
	       "\000\000\000\005\000\000\003\376\000\000\002\000\007\000\000\004\006s3cr3t\001\000\000\005\373\005\000"
	       "\000\006\376\000\000\002\000"),
	CLIENT("\001\000\000\000\016"), /* a ping is no request */
	SERVER("\007\000\000\001\000\000\000\002\000\000\000"),
	CLIENT("(\000\000\000\026INSERT INTO orders VALUES (\077, 's3cr3t')"), /* prepare */
	SERVER("\014\000\000\001\000\007\000\000\000\000\000\001\000\000\000\000\027\000\000\002\003def\000\000\000\001"
	       "a\000\014\077\000\013\000\000\000\003\000\000\000\000\000\005\000\000\003\376\000\000\002\000"),
	CLIENT("\025\000\000\000\027\007\000\000\000\000\001\000\000\000\000\001\375\000\006s3cr3t"),
	SERVER("\007\000\000\001\000\000\000\002\000\000\000"),
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
	.last = 13,
	.expect = "SELECT t - done\n"
		  "INSERT orders - done\n"
		  "DELETE t 1062 done\n"
		  "UPDATE stock 1213 done\n",
};

TEST_MAIN(TRANSCRIPT_TESTS)
