/* redact.c: behind it there is no payload of a log, and no value that the scanner knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "ingest/redact.h"

static const char card[] = "4539578763621486";

struct out {
	size_t n, matches;
	uint16_t ids[8];
	struct event_sink sink;
	char data[256];
	uint32_t len;
	uint64_t last_t1;
};

static void take(void *ctx, const struct event *e)
{
	struct out *o = ctx;

	/* Whatever it is, the value itself is not in it. */
	if (e->data_len > 0)
		assert_null(memmem(e->data, e->data_len, card, sizeof(card) - 1));
	if (e->id == WIRE_SLOT) /* learn.c's */
		return;
	if (o->n < 8)
		o->ids[o->n] = e->id;
	o->n++;
	o->last_t1 = e->t1;
	if (e->id == WIRE_MATCH) {
		o->matches++;
		return;
	}
	o->len = e->data_len;
	if (e->data_len == sizeof(o->sink))
		memcpy(&o->sink, e->data, sizeof(o->sink));
	if (e->data_len > 0 && e->data_len < sizeof(o->data))
		memcpy(o->data, e->data, e->data_len);
}

struct fixture {
	struct counters counters;
	struct redact *redact;
	struct out out;
};

static int open_redact(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->redact = redact_new(&f->counters, 0);
	*state = f;
	return f->redact != NULL ? 0 : -1;
}

static int close_redact(void **state)
{
	struct fixture *f = *state;

	redact_free(f->redact);
	free(f);
	return 0;
}

static void send(struct fixture *f, struct event e, const char *text)
{
	char data[256];

	memset(&f->out, 0, sizeof(f->out));
	snprintf(data, sizeof(data), "%s", text);
	e.pid = 1;
	e.data_len = (uint32_t)strlen(text);
	e.data = e.data_len > 0 ? (uint8_t *)data : NULL;
	redact_event(f->redact, &e, take, &f->out);
}

static void a_log_write_becomes_numbers(void **state)
{
	struct fixture *f = *state;
	const char *text = "one\ncard 4539578763621486\n";

	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = 26}, text);
	assert_int_equal(f->out.n, 2);
	assert_int_equal(f->out.ids[0], WIRE_WRITE);
	assert_int_equal(f->out.ids[1], WIRE_MATCH);
	assert_int_equal(f->out.sink.lines, 2);
	assert_int_equal(f->out.sink.scanned, 26);
	assert_int_equal(f->out.sink.total, 26);
	assert_int_equal(f->counters.log_bytes_seen, 26);
	assert_int_equal(f->counters.log_bytes_read, 26);
}

static void only_what_was_written_counts(void **state)
{
	struct fixture *f = *state;

	/* A short write took less than the hook captured; a long one more than it captured. */
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = 4}, "one\ntwo\n");
	assert_int_equal(f->out.sink.lines, 1);
	assert_int_equal(f->out.sink.total, 4);
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = 1000}, "one\ntwo\n");
	assert_int_equal(f->out.sink.scanned, 8);
	assert_int_equal(f->out.sink.total, 1000);
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = -1}, "");
	assert_int_equal(f->out.sink.total, 0);
}

static void all_kinds_of_logs_are_scanned(void **state)
{
	static const struct event kinds[] = {
		{.id = WIRE_STDIO, .fd = 1, .a0 = 22},
		{.id = WIRE_SYSLOG, .fd = -1, .a0 = 3},
		{.id = WIRE_JOURNAL, .fd = -1, .a0 = UINT64_MAX},
		{.id = WIRE_SENDMMSG, .flags = WIRE_F_SINK, .fd = 7, .ret = 22},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		send(f, kinds[i], "card 4539578763621486\n");
		assert_int_equal(f->out.matches, 1);
		assert_int_equal(f->out.ids[0], kinds[i].id);
		assert_int_equal(f->out.sink.total, 22);
	}
}

static void payloads_keep_their_length(void **state)
{
	struct fixture *f = *state;

	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 31}, "GET /pay?card=4539578763621486 H");
	assert_int_equal(f->out.len, 32);
	assert_memory_equal(f->out.data, "GET /pay?", 9);
	assert_memory_equal(f->out.data + 30, " H", 2);
}

static void other_events_pass_as_they_are(void **state)
{
	struct fixture *f = *state;

	send(f, (struct event){.id = WIRE_OPEN, .ret = 5}, "/var/log/shop.log");
	assert_int_equal(f->out.n, 1);
	assert_memory_equal(f->out.data, "/var/log/shop.log", 17);
}

static void an_unfinished_line_ends_with_its_descriptor(void **state)
{
	static const struct event ends[] = {
		{.id = WIRE_CLOSE, .fd = 4, .ret = 0},
		{.id = WIRE_CLOSE, .fd = 3, .a0 = UINT32_MAX, .flags = WIRE_F_RANGE, .ret = 0},
		{.id = WIRE_DUP, .fd = 9, .ret = 4},
		{.id = WIRE_PROCESS_GONE, .fd = -1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 4, .ret = 21}, "card 4539578763621486");
		assert_int_equal(f->out.matches, 0);
		send(f, ends[i], "");
		assert_int_equal(f->out.matches, 1);
		assert_int_equal(f->out.ids[0], WIRE_MATCH);
		assert_int_equal(f->out.ids[1], ends[i].id);
	}
	/* A close that failed ends nothing. */
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 4, .ret = 21}, "card 4539578763621486");
	send(f, (struct event){.id = WIRE_CLOSE, .fd = 4, .ret = -1}, "");
	assert_int_equal(f->out.matches, 0);
	memset(&f->out, 0, sizeof(f->out));
	redact_flush(f->redact, 77, take, &f->out);
	assert_int_equal(f->out.matches, 1);
	assert_int_equal(f->out.last_t1, 77);
}

/* What is serious enough to be told of a connection follows the event, once, masked; nothing of what nobody moved. */
static void what_a_connection_has_in_the_clear(void **state)
{
	struct fixture *f = *state;

	send(f, (struct event){.id = WIRE_WRITE, .fd = 5, .ret = 32}, "GET /pay?card=4539578763621486 H");
	assert_int_equal(f->out.n, 2);
	assert_int_equal(f->out.ids[0], WIRE_WRITE);
	assert_int_equal(f->out.ids[1], WIRE_MATCH);
	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 32, .flags = WIRE_F_PEEK}, "GET /pay?card=4539578763621486 H");
	assert_int_equal(f->out.n, 1);
	send(f, (struct event){.id = WIRE_READ, .fd = 6, .ret = 28}, "mail someone@gmail.com, soon");
	assert_int_equal(f->out.n, 1);
	send(f, (struct event){.id = WIRE_TLS_READ, .fd = -1, .ret = 32}, "GET /pay?card=4539578763621486 H");
	assert_int_equal(f->out.n, 1);
	/* divided over two calls it is told once: by the second, or by the first if that had one already */
	send(f, (struct event){.id = WIRE_READ, .fd = 7, .ret = 13}, "card 45395787");
	assert_int_equal(f->out.n, 1);
	send(f, (struct event){.id = WIRE_READ, .fd = 7, .ret = 11}, "63621486 H\n");
	assert_int_equal(f->out.n, 2);
	send(f, (struct event){.id = WIRE_READ, .fd = 8, .ret = 19}, "password=hunter2xyz");
	assert_int_equal(f->out.n, 2);
	send(f, (struct event){.id = WIRE_READ, .fd = 8, .ret = 6}, "abc h\n");
	assert_int_equal(f->out.n, 1);
}

/* A message for a log is a log's, whoever carries it: less serious values are told, too; what is received is none of ours. */
static void what_a_log_is_sent(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "<13>Mar  1 12:00:07 h app: someone@gmail.com";

	send(f, (struct event){.id = WIRE_WRITE, .fd = 5, .ret = sizeof(text) - 1}, text);
	assert_int_equal(f->out.n, 2);
	assert_int_equal(f->out.ids[1], WIRE_MATCH);
	send(f, (struct event){.id = WIRE_READ, .fd = 6, .ret = sizeof(text) - 1}, text);
	assert_int_equal(f->out.n, 1);
	/* a value at a message's end does not go on in the next */
	static const char ends[] = "<13>Mar  1 12:00:07 h app: card=4539578763621486 password=Tr0ub4dor";
	for (unsigned int i = 0; i < 3; i++) {
		send(f, (struct event){.id = WIRE_WRITE, .fd = 7, .ret = sizeof(ends) - 1}, ends);
		assert_int_equal(f->out.n, 3);
	}
}

static void a_value_in_two_reads(void **state)
{
	struct fixture *f = *state;

	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 13}, "card 45395787");
	assert_memory_equal(f->out.data, "card ********", 13);
	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 11}, "63621486 H\n");
	assert_memory_equal(f->out.data, "******** H\n", 11);
	/* the other direction, and the same descriptor once it was closed, are other conversations */
	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 13}, "card 45395787");
	send(f, (struct event){.id = WIRE_WRITE, .fd = 5, .ret = 11}, "63621486 H\n");
	assert_memory_equal(f->out.data, "63621486 H\n", 11);
	send(f, (struct event){.id = WIRE_CLOSE, .fd = 5}, "");
	send(f, (struct event){.id = WIRE_READ, .fd = 5, .ret = 11}, "63621486 H\n");
	assert_memory_equal(f->out.data, "63621486 H\n", 11);
}

static void over_the_budget_is_told(void **state)
{
	struct fixture *f = *state;
	char text[200];
	uint64_t all = 0;

	memset(text, 'x', sizeof(text));
	memcpy(text, "card 4539578763621486 ", 22);
	text[198] = '\n';
	text[199] = 0;
	/* no time passes: what was saved is spent sometime, and then writes are counted but not read */
	for (unsigned int i = 0; i < 4000000 && f->counters.log_bytes_read == all; i++) {
		send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = 199, .t1 = 1}, text);
		all += 199;
	}
	assert_true(all > f->counters.log_bytes_read);
	assert_int_equal(f->counters.log_bytes_seen, all);
	assert_int_equal(f->out.sink.scanned, 0);
	assert_int_equal(f->out.sink.total, 199);
	assert_int_equal(f->out.matches, 0);
	/* a minute later there is time again */
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 1, .ret = 199, .t1 = 60000000000U}, text);
	assert_int_equal(f->out.sink.scanned, 199);
	assert_int_equal(f->out.matches, 1);
}

/* What cannot be read is not said to have been. */
static void a_compressed_log_is_not_read(void **state)
{
	struct fixture *f = *state;

	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 7, .ret = 13}, "\x1f\x8b\x08 password");
	assert_int_equal(f->out.sink.lines, 0);
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 7, .ret = 22}, "card 4539578763621486\n");
	assert_int_equal(f->out.matches, 0);
	assert_int_equal(f->out.sink.scanned, 0);
	assert_int_equal(f->counters.log_bytes_seen, 35);
	assert_int_equal(f->counters.log_bytes_read, 0);
	/* another file, and what is no beginning */
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 8, .ret = 22}, "card 4539578763621486\n");
	assert_int_equal(f->out.matches, 1);
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 8, .ret = 4}, "\x1f\x8b\x08\n");
	assert_int_equal(f->out.sink.scanned, 4);
	/* the number is used again */
	send(f, (struct event){.id = WIRE_CLOSE, .fd = 7, .a0 = 7}, "");
	send(f, (struct event){.id = WIRE_WRITE, .flags = WIRE_F_SINK, .fd = 7, .ret = 22}, "card 4539578763621486\n");
	assert_int_equal(f->out.matches, 1);
}

static void a_compressed_message_for_a_log_is_read_and_overwritten(void **state)
{
	static const char text[] = "{\"version\":\"1.1\",\"short_message\":\"paid\",\"_card\":\"4539578763621486\"}";
	struct fixture *f = *state;
	uint8_t packed[256];
	uLongf n = sizeof(packed);

	assert_int_equal(compress(packed, &n, (const Bytef *)text, sizeof(text) - 1), Z_OK);
	const struct event e = {.id = WIRE_WRITE, .pid = 1, .fd = 7, .ret = (int64_t)n, .data = packed, .data_len = (uint32_t)n};
	redact_event(f->redact, &e, take, &f->out);
	assert_int_equal(f->out.matches, 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(packed[i], '*');
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_redact, close_redact)

/* Of a call whose middle was not captured, both ends are read, each by itself. */
static void ends_of_a_long_call(void **state)
{
	struct fixture *f = *state;
	static uint8_t data[4096];
	struct event e = {
		.id = WIRE_READ, .fd = 7, .flags = WIRE_F_SOCKET_CALL | WIRE_F_TAIL, .ret = 90000, .a0 = 90000, .data = data};

	e.data_len = sizeof(data);
	memset(data, '.', sizeof(data));
	memcpy(data + 100, " card=4539578763621486 ", 23);
	memcpy(data + sizeof(data) - 100, " card=4539578763621486 ", 23);
	/* Half of it before the gap, half behind: nothing was one value. */
	memcpy(data + sizeof(data) - WIRE_TAIL_BYTES - 9, " 45395787", 9);
	memcpy(data + sizeof(data) - WIRE_TAIL_BYTES, "63621486 ", 9);
	redact_event(f->redact, &e, take, &f->out);
	assert_int_equal(f->out.matches, 2);
	assert_memory_equal(data + sizeof(data) - 40, "........", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_compressed_message_for_a_log_is_read_and_overwritten),
		T(a_log_write_becomes_numbers),
		T(only_what_was_written_counts),
		T(all_kinds_of_logs_are_scanned),
		T(payloads_keep_their_length),
		T(other_events_pass_as_they_are),
		T(an_unfinished_line_ends_with_its_descriptor),
		T(what_a_connection_has_in_the_clear),
		T(what_a_log_is_sent),
		T(a_value_in_two_reads),
		T(over_the_budget_is_told),
		T(a_compressed_log_is_not_read),
		T(ends_of_a_long_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
