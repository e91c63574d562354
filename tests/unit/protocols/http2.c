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

/* What was not seen were bodies if no stream was left out: names that were said before still hold. */
static void names_outlast_bodies(void **state)
{
	static const struct {
		const char *next;
		const char *expect;
	} rows[] = {{CALL_NEXT("\003"), "POST /shop.Cart/Get - abandoned\nPOST /shop.Cart/Get - abandoned\n"},
		    {CALL_NEXT("\005"), "POST /shop.Cart/Get - abandoned\nPOST  - abandoned\n"}};

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

TEST_MAIN(TRANSCRIPT_TESTS, cmocka_unit_test(names_outlast_bodies), cmocka_unit_test(answers_out_of_sight),
	  cmocka_unit_test(trailers_behind_the_answer))
