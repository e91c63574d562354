/* Open requests of a connection: how they end, and what is made of texts. */
#include "test.h"

#include "protocols/fixture.h"
#include "protocols/talk.h"

static void how_they_end(void **state)
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
	static const enum request_end ends[] = {REQUEST_EOF, REQUEST_RESET, REQUEST_ABANDONED, REQUEST_PENDING};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fixture f;
		fixture_client(&f);
		script_write(&f.s, 5, get);
		if (i == 0)
			script_read_eof(&f.s, 5);
		else if (i == 1)
			script_read_err(&f.s, 5, ECONNRESET);
		else if (i == 2)
			script_close(&f.s, 5);
		else
			script_finish(&f.s);
		assert_int_equal(f.n_ended, 1);
		assert_int_equal(f.ended[0].end, ends[i]);
		fixture_done(&f);
	}
}

/* What was open when records were lost has no end that is known; what came before and after has. */
static void lost_while_open(void **state)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	struct fixture f;

	(void)state;
	fixture_client(&f);
	for (int i = 0; i < 3; i++) {
		script_write(&f.s, 5, ping);
		if (i == 1)
			script_event(&f.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
		else
			script_read(&f.s, 5, "+PONG\r\n");
	}
	assert_int_equal(f.n_ended, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f.ended[i].end, REQUEST_DONE);
		assert_int_equal(f.ended[i].end_unseen, i == 1);
	}
	fixture_done(&f);
}

static void times_and_bytes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_client(&f);
	script_write(&f.s, 5, "*1\r\n$4\r\nPI");
	uint64_t first = f.s.now;
	script_pass(&f.s, SCRIPT_SEC);
	script_write(&f.s, 5, "NG\r\n");
	script_took(&f.s, 2 * SCRIPT_SEC);
	script_read(&f.s, 5, "+PO");
	script_read(&f.s, 5, "NG\r\n");
	const struct request *r = &f.ended[0];
	assert_int_equal(f.n_ended, 1);
	assert_true(r->t_start < first && r->t_sent > first + SCRIPT_SEC);
	assert_int_equal(r->t_end - r->t_sent, 2 * SCRIPT_SEC + SCRIPT_USEC);
	assert_int_equal(r->request_bytes, 14);
	assert_int_equal(r->response_bytes, 7);
	fixture_done(&f);
}

static void texts(void **state)
{
	char out[5];

	(void)state;
	talk_text(out, sizeof(out),
		  (const uint8_t *)"a b\xff"
				   "cdef",
		  8);
	assert_string_equal(out, "a?b?");
	assert_true(talk_hash(TALK_HASH_START, "a", 1) != talk_hash(TALK_HASH_START, "b", 1));
	assert_int_equal(talk_be32((const uint8_t *)"\1\2\3\4"), 0x01020304);
	assert_int_equal(talk_le32((const uint8_t *)"\1\2\3\4"), 0x04030201);
	assert_int_equal(talk_le24((const uint8_t *)"\1\2\3"), 0x030201);
	assert_int_equal(talk_be16((const uint8_t *)"\1\2"), 0x0102);
}

TEST_MAIN(cmocka_unit_test(how_they_end), cmocka_unit_test(lost_while_open), cmocka_unit_test(times_and_bytes),
	  cmocka_unit_test(texts))
