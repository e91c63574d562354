/* HTTP/2 streams and gRPC calls. */
#include "protocols/transcript.h"

static const struct step steps[] = {
	CLIENT("PRI * HTTP/2.0\015\012\015\012SM\015\012\015\012\000\000\000\004\000\000\000\000\000\000\000\004\010\000"
	       "\000\000\000\000\000\000\377\377"),
	SERVER("\000\000\000\004\000\000\000\000\000\000\000\000\004\001\000\000\000\000"),
	CLIENT("\000\000\017\001\005\000\000\000\001\202\206\004\006/a\077x=1A\003abc"),
	CLIENT("\000\000\010\001\004\000\000\000\003\203\206\004\004/two\000\000\014\000\001\000\000\000\003hello s3c"
	       "r3t"), /* two streams at once */
	SERVER("\000\000\001\001\005\000\000\000\003\215"),
	SERVER("\000\000\001\001\004\000\000\000\001\210\000\000\002\000\000\000\000\000\001hi\000\000\000\000\001\000"
	       "\000\000\001"),
	CLIENT("\000\000\022\001\000\000\000\000\005\203\206\004\016/shop.Cart/Get\000\000\023\011\004\000\000\000\005"
	       "\017\020\020application/grpc\000\000\005\000\001\000\000\000\005\000\000\000\000\000"), /* gRPC, its block in two frames */
	SERVER("\000\000\001\001\004\000\000\000\005\210\000\000\005\000\000\000\000\000\005\000\000\000\000\000\000\000"
	       "\017\001\005\000\000\000\005\000\013grpc-status\0015"),
	CLIENT("\000\000\013\001\005\000\000\000\007\202\206\004\007/giveup\000\000\004\003\000\000\000\000\007\000\000"
	       "\000\010"), /* the client gives up */
	CLIENT("\000\000\010\001\005\000\000\000\011\202\206\004\004/end"),
	SERVER("\000\000\001\001\005\000\000\000\011\216"),
};

static const struct transcript transcript = {
	.protocol = "http2",
	.type = SOCK_STREAM,
	.steps = steps,
	.n = sizeof(steps) / sizeof(steps[0]),
	.last = 9,
	.expect = "POST /two 404 done\n"
		  "GET /a 200 done\n"
		  "POST shop.Cart/Get NOT_FOUND done\n"
		  "GET /giveup - abandoned\n"
		  "GET /end 500 done\n",
};

/* A server may answer before a request is over: what the client says at its end is no other request. */
static void trailers_behind_the_answer(void **state)
{
	static const char trailers[] = "\000\000\007\001\005\000\000\000\011\000\003abc\001d";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, transcript.n);
	play_bytes(&y, PLAY_CLIENT, 'C', trailers, sizeof(trailers) - 1, sizeof(trailers) - 1);
	assert_string_equal(y.log, transcript.expect);
	assert_int_equal(y.started, y.ended);
	play_done(&y);
}

/* An answer that was in the part of a call that was not captured is no failure when the connection ends; one that comes later counts. */
static void answers_out_of_sight(void **state)
{
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 4); /* two requests */
	play_bytes(&y, PLAY_CLIENT, 'S', transcript.steps[5].bytes, 5, 9000);
	assert_int_equal(y.ended, 0);
	play_bytes(&y, PLAY_CLIENT, 'S', transcript.steps[4].bytes, transcript.steps[4].len, transcript.steps[4].len);
	assert_int_equal(y.ended, 1);
	play_done(&y);
	assert_string_equal(y.log, "POST /two 404 done\nGET /a - done\n");
}

/* Blocks of headers whose fields are entries of the table: made by the first, used by the others. */
#define CALL_FIRST "\000\000\022\001\004\000\000\000\001\203\206\104\016/shop.Cart/Get"
#define CALL_NEXT(stream) "\000\000\003\001\004\000\000\000" stream "\203\206\276"
#define BODY(stream) "\000\040\000\000\000\000\000\000" stream

/* What was not seen were bodies if no stream was left out: names that were said before still hold. Else there was a request of no name. */
static void names_outlast_bodies(void **state)
{
	static const struct {
		const char *next;
		const char *expect;
	} rows[] = {{CALL_NEXT("\003"), "POST /shop.Cart/Get - abandoned\nPOST /shop.Cart/Get - abandoned\n"},
		    {CALL_NEXT("\005"), "POST /shop.Cart/Get - abandoned\n_OTHER  - abandoned\nPOST  - abandoned\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play y;
		play_init(&y, PLAY_SERVER);
		play_steps(&y, PLAY_SERVER, 0, 2);
		play_bytes(&y, PLAY_SERVER, 'C', CALL_FIRST BODY("\001"), sizeof(CALL_FIRST BODY("\001")) - 1, 40000);
		play_bytes(&y, PLAY_SERVER, 'C', rows[i].next, sizeof(CALL_NEXT("\003")) - 1, sizeof(CALL_NEXT("\003")) - 1);
		play_done(&y);
		assert_string_equal(y.log, rows[i].expect);
	}
}

/* An answer of 70,000 bytes in one call, of which the first 4096 and the last WIRE_TAIL_BYTES were seen. */
static void play_long(struct play *y, const uint8_t *end, size_t len)
{
	static const char head[] = "\000\000\001\001\004\000\000\000\001\210\000\100\000\000\000\000\000\000\001";
	uint8_t data[4096 + WIRE_TAIL_BYTES] = {0};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 3 ? 0 : i % 11);
	memcpy(data, head, sizeof(head) - 1);
	memcpy(data + sizeof(data) - len, end, len);
	script_event(&y->s, (struct event){.id = WIRE_READ,
					   .fd = 5,
					   .flags = WIRE_F_SOCKET_CALL | WIRE_F_TAIL,
					   .ret = 70000,
					   .a0 = 70000,
					   .data = data,
					   .data_len = sizeof(data)});
}

#define TRAILERS "\000\000\017\001\005\000\000\000\001\000\013grpc-status\0015"

/* The trailers behind a body whose frames could not be followed are found: in the end of a long call, in the middle of the next one, cut. */
static void trailers_behind_a_long_body(void **state)
{
	static const char expect[] = "POST shop.Cart/Get NOT_FOUND done\n",
			  next[] = "body\000body" TRAILERS "\000\000\000\004\001\000\000\000\000";

	(void)state;
	for (size_t cut = 0; cut < 3; cut++) {
		struct play y;
		play_init(&y, PLAY_CLIENT);
		play_steps(&y, PLAY_CLIENT, 0, 2);
		play_bytes(&y, PLAY_CLIENT, 'C', CALL_FIRST BODY("\001"), sizeof(CALL_FIRST) - 1, sizeof(CALL_FIRST) - 1);
		if (cut == 0) {
			play_long(&y, (const uint8_t *)TRAILERS, sizeof(TRAILERS) - 1);
		} else if (cut == 1) {
			play_long(&y, (const uint8_t *)"body", 4);
			play_bytes(&y, PLAY_CLIENT, 'S', next, sizeof(next) - 1, sizeof(next) - 1);
		} else {
			play_long(&y, (const uint8_t *)TRAILERS, sizeof(TRAILERS) - 3);
			play_bytes(&y, PLAY_CLIENT, 'S', &TRAILERS[sizeof(TRAILERS) - 3], 2, 2);
		}
		assert_string_equal(y.log, expect);
		play_done(&y);
		assert_string_equal(y.log, expect);
	}
}

/* A block whose rest was not captured still says the request's method, and the answer's status. */
static void blocks_of_which_the_beginning_was_seen(void **state)
{
	static const char ask[] = "\000\000\020\001\000\000\000\000\001\203\206\004\004/two\020\010x-secret";
	static const char answer[] = "\000\000\013\001\001\000\000\000\001\215\020\010x-secret";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 2);
	play_bytes(&y, PLAY_CLIENT, 'C', ask, sizeof(ask) - 1, 9000);
	assert_int_equal(y.started, 1);
	play_bytes(&y, PLAY_CLIENT, 'S', answer, sizeof(answer) - 1, 9000);
	assert_string_equal(y.log, "POST /two 404 done\n");
	play_done(&y);
}

#define STATUS_FIRST(stream) \
	"\000\000\001\001\004\000\000\000" stream "\210\000\000\017\001\005\000\000\000" stream "\100\013grpc-status\0015"
#define STATUS_NEXT(stream) "\000\000\001\001\005\000\000\000" stream "\276"

/* Both sides were lost. Until the next request tells that none was left out, a status that is said by its number is not known; then it is. */
static void doubt_is_settled(void **state)
{
	static const struct {
		const char *next;
		const char *expect;
	} rows[] = {{CALL_NEXT("\005"), "NOT_FOUND done\n"}, {CALL_NEXT("\007"), "- done\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t next = sizeof(CALL_NEXT("\005")) - 1;
		char answer[] = STATUS_NEXT("\005");
		struct play y;

		answer[8] = rows[i].next[8];
		play_init(&y, PLAY_CLIENT);
		play_steps(&y, PLAY_CLIENT, 0, 2);
		play_bytes(&y, PLAY_CLIENT, 'C', CALL_FIRST, sizeof(CALL_FIRST) - 1, sizeof(CALL_FIRST) - 1);
		play_bytes(&y, PLAY_CLIENT, 'S', STATUS_FIRST("\001"), sizeof(STATUS_FIRST("\001")) - 1,
			   sizeof(STATUS_FIRST("\001")) - 1);
		play_bytes(&y, PLAY_CLIENT, 'C', CALL_NEXT("\003") BODY("\003"), next + sizeof(BODY("\003")) - 1, 40000);
		play_bytes(&y, PLAY_CLIENT, 'S', "\000\000\001\001\004\000\000\000\003\210\000\040\000\000\000\000\000\000\003", 19,
			   40000);
		play_bytes(&y, PLAY_CLIENT, 'S', STATUS_NEXT("\003"), sizeof(STATUS_NEXT("\003")) - 1,
			   sizeof(STATUS_NEXT("\003")) - 1);
		assert_non_null(strstr(y.log, "NOT_FOUND done\nPOST /shop.Cart/Get 200 done\n"));
		play_bytes(&y, PLAY_CLIENT, 'C', rows[i].next, next, next);
		play_bytes(&y, PLAY_CLIENT, 'S', answer, sizeof(answer) - 1, sizeof(answer) - 1);
		assert_non_null(strstr(y.log, "200 done\n"));
		assert_string_equal(strchr(strstr(y.log, "200 done\nPOST ") + 14, ' ') + 1, rows[i].expect);
		play_done(&y);
	}
}

/* What looks like a frame in a body is none of a stream that is not open, nor a request far ahead. */
static void bodies_are_no_frames(void **state)
{
	static const char other[] = "\000\000\017\001\005\000\000\000\007\000\013grpc-status\0015",
			  far[] = "x\000\000\003\001\005\000\001\000\001\202\206\204";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 2);
	play_bytes(&y, PLAY_CLIENT, 'C', CALL_FIRST BODY("\001"), sizeof(CALL_FIRST BODY("\001")) - 1, 40000);
	play_bytes(&y, PLAY_CLIENT, 'C', far, sizeof(far) - 1, sizeof(far) - 1);
	play_long(&y, (const uint8_t *)other, sizeof(other) - 1);
	assert_int_equal(y.started, 1);
	assert_string_equal(y.log, "");
	play_done(&y);
}

/* A body whose frames could not be followed, and then could again: its end may have been among those unseen, so that the connection's end is no
 * failure of the request. */
static void bodies_out_of_sight_once(void **state)
{
	static const char more[] = "\000\000\002\000\000\000\000\000\001hi\000\000\002\000\000\000\000\000\001hi";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 3);
	play_long(&y, (const uint8_t *)"body", 4);
	play_bytes(&y, PLAY_CLIENT, 'S', more, sizeof(more) - 1, sizeof(more) - 1);
	assert_int_equal(y.ended, 0);
	script_event(&y.s, (struct event){.id = WIRE_CLOSE, .fd = 5});
	assert_string_equal(y.log, "GET /a 200 done\n");
	play_done(&y);
}

/* curl resets streams that are over: nor is that one. Without a doubt it is a client that gives up. */
static void resets_of_what_was_out_of_sight(void **state)
{
	static const char answer[] = "\000\000\001\001\004\000\000\000\001\210",
			  reset[] = "\000\000\004\003\000\000\000\000\001\000\000\000\010";

	(void)state;
	for (unsigned int seen = 0; seen < 2; seen++) {
		struct play y;

		play_init(&y, PLAY_CLIENT);
		play_steps(&y, PLAY_CLIENT, 0, 3);
		if (seen)
			play_bytes(&y, PLAY_CLIENT, 'S', answer, sizeof(answer) - 1, sizeof(answer) - 1);
		else
			play_long(&y, (const uint8_t *)"body", 4);
		play_bytes(&y, PLAY_CLIENT, 'C', reset, sizeof(reset) - 1, sizeof(reset) - 1);
		assert_string_equal(y.log, seen ? "GET /a 200 abandoned\n" : "GET /a 200 done\n");
		play_done(&y);
	}
}

/* Many requests in one call, of which the first was captured: the numbers of later streams tell how many there were. */
static void more_in_one_call_than_is_captured(void **state)
{
	/* 200 for stream 5, then a request with the number 9, then 404 for 3, 7 and 9 */
	static const char first[] = "\000\000\001\001\005\000\000\000\005\210",
			  next[] = "\000\000\010\001\005\000\000\000\011\202\206\004\004/end",
			  others[] = "\000\000\001\001\005\000\000\000\003\215\000\000\001\001\005\000\000\000\007\215"
				     "\000\000\001\001\005\000\000\000\011\215";
	struct play y;

	(void)state;
	play_init(&y, PLAY_CLIENT);
	play_steps(&y, PLAY_CLIENT, 0, 2);
	play_bytes(&y, PLAY_CLIENT, 'C', transcript.steps[2].bytes, transcript.steps[2].len, 9000);
	play_bytes(&y, PLAY_CLIENT, 'S', first, sizeof(first) - 1, sizeof(first) - 1);
	assert_int_equal(y.started, 3);
	play_bytes(&y, PLAY_CLIENT, 'C', next, sizeof(next) - 1, sizeof(next) - 1);
	assert_int_equal(y.started, 5);
	play_bytes(&y, PLAY_CLIENT, 'S', others, sizeof(others) - 1, sizeof(others) - 1);
	assert_string_equal(y.log, "_OTHER  200 done\n_OTHER  404 done\n_OTHER  404 done\nGET /end 404 done\n");
	play_done(&y);
	assert_int_equal(y.started, 5);
	assert_int_equal(y.ended, 5);
}

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(more_in_one_call_than_is_captured), cmocka_unit_test(bodies_out_of_sight_once),
	  cmocka_unit_test(resets_of_what_was_out_of_sight), cmocka_unit_test(names_outlast_bodies),
	  cmocka_unit_test(answers_out_of_sight), cmocka_unit_test(trailers_behind_the_answer),
	  cmocka_unit_test(trailers_behind_a_long_body), cmocka_unit_test(bodies_are_no_frames), cmocka_unit_test(doubt_is_settled),
	  cmocka_unit_test(blocks_of_which_the_beginning_was_seen))
