/* One direction cut into messages: split anywhere, with gaps, hostile. */
#include "test.h"

#include "model/script.h"
#include "protocols/http1_reader.h"

struct tape {
	char text[8192];
	size_t len;
	struct counters counters;
	struct http1_reader r;
	uint64_t body;
};

static void say(struct tape *t, const char *what, uint64_t n)
{
	t->len += (size_t)snprintf(t->text + t->len, 64, "%s:%llu ", what, (unsigned long long)n);
}

static void on_start(void *ctx)
{
	say(ctx, "start", 0);
}

static enum http1_body on_head(void *ctx, const struct http1_head *h)
{
	struct tape *t = ctx;

	t->body = 0;
	say(t, "head", h->status ? (uint64_t)h->status : h->length);
	if (h->ambiguous)
		return HTTP1_BODY_UNKNOWN;
	return h->chunked         ? HTTP1_BODY_CHUNKED
	       : h->has_length    ? HTTP1_BODY_LENGTH
	       : h->status == 200 ? HTTP1_BODY_UNTIL_CLOSE
				  : HTTP1_BODY_NONE;
}

static void on_body(void *ctx, const uint8_t *bytes, size_t len, size_t gap)
{
	struct tape *t = ctx;
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]); /* must be readable */
	t->body += len + gap;
}

static void on_end(void *ctx)
{
	struct tape *t = ctx;

	say(t, "end", t->r.bytes);
	say(t, "body", t->body);
}

static void on_lost(void *ctx)
{
	say(ctx, "lost", 0);
}

static const struct http1_reader_ops ops = {.start = on_start, .head = on_head, .body = on_body, .end = on_end, .lost = on_lost};

static void tape_init(struct tape *t, bool request)
{
	memset(t, 0, sizeof(*t));
	t->r = (struct http1_reader){.ops = &ops, .ctx = t, .counters = &t->counters, .request = request};
}

static void feed(struct tape *t, const char *text, size_t gap)
{
	http1_reader_feed(&t->r, (const uint8_t *)text, strlen(text), gap, 0);
}

static void expect(struct tape *t, const char *text)
{
	assert_string_equal(t->text, text);
	t->len = 0;
	t->text[0] = '\0';
}

static const char stream[] =
	"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
	"\r\nGET /b HTTP/1.1\r\n\r\n"
	"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n"
	"GET /d HTTP/1.1\nHost: a\n\n";
static const char stream_tape[] = "start:0 head:5 end:44 body:5 start:0 head:0 end:19 body:0 start:0 head:0 end:90 body:15 "
				  "start:0 head:0 end:25 body:0 ";

static void whole(void **state)
{
	struct tape t;

	(void)state;
	tape_init(&t, true);
	feed(&t, stream, 0);
	expect(&t, stream_tape);
	http1_reader_done(&t.r);
}

static void split_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i <= strlen(stream); i++) {
		for (size_t step = 1; step <= 7; step += 3) {
			struct tape t;
			tape_init(&t, true);
			http1_reader_feed(&t.r, (const uint8_t *)stream, i, 0, 0);
			for (size_t at = i; at < strlen(stream); at += step) {
				size_t n = strlen(stream) - at < step ? strlen(stream) - at : step;
				http1_reader_feed(&t.r, (const uint8_t *)stream + at, n, 0, 0);
			}
			expect(&t, stream_tape);
			http1_reader_done(&t.r);
		}
	}
}

static void gaps_in_bodies_are_skipped(void **state)
{
	struct tape t;

	(void)state;
	tape_init(&t, true);
	feed(&t, "POST /a HTTP/1.1\r\nContent-Length: 10000\r\n\r\nsome", 9996);
	feed(&t, "GET /b HTTP/1.1\r\n\r\n", 0);
	expect(&t, "start:0 head:10000 end:10043 body:10000 start:0 head:0 end:19 body:0 ");
	feed(&t, "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\nabc", 1021);
	feed(&t, "\r\n0\r\n\r\n", 0);
	expect(&t, "start:0 head:0 end:1084 body:1024 ");
	assert_int_equal(t.counters.protocol_resync, 0);
	http1_reader_done(&t.r);
}

static void lost_in_a_gap_until_the_next_start(void **state)
{
	struct tape t;

	(void)state;
	tape_init(&t, true);
	feed(&t, "POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n", 50);
	expect(&t, "start:0 head:10 end:50 body:0 lost:0 ");
	feed(&t, "rest of something", 0);
	expect(&t, "");
	feed(&t, "GET /b HTTP/1.1\r\n\r\n", 0);
	expect(&t, "start:0 head:0 end:19 body:0 ");
	/* A head cut short is told with what it had. */
	feed(&t, "POST /c HTTP/1.1\r\nContent-Length: 3\r\nCoo", 100);
	expect(&t, "start:0 head:3 lost:0 ");
	assert_int_equal(t.counters.protocol_resync, 2);
	http1_reader_done(&t.r);
}

static void a_lost_chunked_body_ends_with_its_last_chunk(void **state)
{
	struct tape t;

	(void)state;
	tape_init(&t, false);
	feed(&t, "HTTP/1.1 201 x\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nabc", 8000);
	expect(&t, "start:0 head:201 lost:0 ");
	feed(&t, "more", 4000);
	feed(&t, "yet more\r\n0\r\n\r\n", 0);
	expect(&t, "end:12074 body:3 ");
	feed(&t, "HTTP/1.1 204 x\r\n\r\n", 0);
	expect(&t, "start:0 head:204 end:18 body:0 ");
	http1_reader_done(&t.r);
}

static void hostile_framing_is_given_up(void **state)
{
	static const char *const bodies[] = {"\r\n",   "x\r\n",  "fffffffffffffffff\r\n", "5\r\nhelloX", "5 \rx\r\nhello\r\r",
					     "-1\r\n", "0x5\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct tape t;
		tape_init(&t, true);
		feed(&t, "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 0);
		feed(&t, bodies[i], 0);
		if (t.r.at != HTTP1_AT_LOST)
			fail_msg("not given up: %s", bodies[i]);
		expect(&t, "start:0 head:0 lost:0 ");
		http1_reader_done(&t.r);
	}
}

static void heads_and_trailers_are_bounded(void **state)
{
	static char big[LIMIT_HTTP_HEAD_BYTES * 2];
	struct tape t;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	tape_init(&t, true);
	feed(&t, "GET /a HTTP/1.1\r\nX: ", 0);
	feed(&t, big, 0);
	expect(&t, "start:0 head:0 lost:0 ");
	assert_int_equal(t.counters.limit[LIMIT_REACHED_HEAD], 1);
	assert_null(t.r.head);
	feed(&t, "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 0);
	feed(&t, big, 0);
	expect(&t, "start:0 head:0 lost:0 ");
	feed(&t, "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;", 0);
	feed(&t, big, 0);
	expect(&t, "start:0 head:0 lost:0 ");
	http1_reader_done(&t.r);
}

TEST_MAIN(cmocka_unit_test(whole), cmocka_unit_test(split_at_every_byte), cmocka_unit_test(gaps_in_bodies_are_skipped),
	  cmocka_unit_test(lost_in_a_gap_until_the_next_start), cmocka_unit_test(a_lost_chunked_body_ends_with_its_last_chunk),
	  cmocka_unit_test(hostile_framing_is_given_up), cmocka_unit_test(heads_and_trailers_are_bounded))
