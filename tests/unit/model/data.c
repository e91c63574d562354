/* Bytes that moved, and how a connection's data ends. */
#include "test.h"

#include "model/private.h"
#include "model/witness.h"

struct fixture {
	struct script s;
	struct witness w;
};

static void begin(struct fixture *f)
{
	script_init(&f->s);
	script_socket(&f->s, 5);
	script_connect(&f->s, 5, "10.0.0.9", 80, 0);
	witness_init(&f->w, f->s.model, "data close");
}

static void counts_and_times(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.s.stack = 3;
	script_write(&f.s, 5, "hello");
	uint64_t out = f.s.now;
	f.s.stack = 4;
	script_read(&f.s, 5, "ab");
	uint64_t in = f.s.now;
	script_read(&f.s, 5, "c");
	const struct conn *c = model_conn(f.s.model, 100, 5);
	assert_true(c->bytes_out == 5 && c->bytes_in == 3 && c->last_out_ns == out && c->first_in_ns == in);
	assert_true(c->last_in_ns == f.s.now && c->last_out_stack == 3 && c->last_in_stack == 4 && c->last_out_tid == 100);
	witness_is(&f.w, "data 5 out 5\ndata 5 in 2\ndata 5 in 1\n");
	script_done(&f.s);
}

static void no_end_beside_the_stream(void **state)
{
	static const uint64_t flags[] = {MSG_ERRQUEUE | MSG_DONTWAIT, MSG_OOB};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct event nothing = {.id = WIRE_READ, .flags = WIRE_F_SOCKET_CALL, .fd = 5, .a0 = 64, .a1 = flags[i]};

		script_event(&f.s, nothing);
	}
	script_read(&f.s, 5, "ab");
	witness_is(&f.w, "data 5 in 2\n");
	script_done(&f.s);
}

static void ends(void **state)
{
	static const struct {
		uint16_t id;
		int err;
		const char *told;
	} rows[] = {
		{WIRE_READ, 0, "data 5 in eof\nclose 5 eof\n"},
		{WIRE_READ, ECONNRESET, "data 5 in ECONNRESET\nclose 5 reset\n"},
		{WIRE_READ, ETIMEDOUT, "data 5 in ETIMEDOUT\nclose 5 reset\n"},
		{WIRE_WRITE, EPIPE, "data 5 out EPIPE\nclose 5 reset\n"},
		{WIRE_READ, EAGAIN, "close 5 by-us\n"},
		{WIRE_READ, EINTR, "close 5 by-us\n"},
		{WIRE_WRITE, EMSGSIZE, "close 5 by-us\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		begin(&f);
		script_data(&f.s, rows[i].id, 5, NULL, 0, 0, rows[i].err);
		script_close(&f.s, 5);
		witness_is(&f.w, rows[i].told);
		script_done(&f.s);
	}
}

static void what_moves_no_data(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 5, .ret = 0, .a0 = 0}); /* no room asked for */
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 5, .ret = 4, .a0 = 4, .flags = WIRE_F_PEEK});
	script_socket_of(&f.s, 6, AF_INET, SOCK_DGRAM);
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 6, .ret = 0, .a0 = 100}); /* an empty datagram */
	witness_is(&f.w, "");
	script_read_eof(&f.s, 5);
	script_read_eof(&f.s, 5); /* an end is told once */
	witness_is(&f.w, "data 5 in eof\n");
	script_done(&f.s);
}

/* Who sees the end by looking need not read it. */
static void end_that_was_looked_at(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_event(&f.s, (struct event){.id = WIRE_READ, .fd = 5, .ret = 0, .a0 = 4, .flags = WIRE_F_PEEK});
	witness_is(&f.w, "data 5 in eof\n");
	script_read_eof(&f.s, 5);
	witness_is(&f.w, "");
	script_done(&f.s);
}

static void moved_by_the_kernel(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	script_socket(&f.s, 6);
	script_connect(&f.s, 6, "10.0.0.8", 80, 0);
	script_event(&f.s, (struct event){.id = WIRE_SPLICE, .fd = 5, .ret = 700, .a0 = 1000, .a1 = 6});
	witness_is(&f.w, "data 6 in 700\ndata 5 out 700\n");
	assert_true(model_conn(f.s.model, 100, 6)->bytes_in == 700 && model_conn(f.s.model, 100, 5)->bytes_out == 700);
	script_done(&f.s);
}

/* What was sent before anybody watched, and not answered: an event loop that waits is told to wait for it. */
static void asked_before_it_was_watched(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	const struct connx *c = (const struct connx *)model_conn(f.s.model, 100, 5);
	assert_false(c->awaiting);
	script_event(&f.s, (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .t0 = 1234});
	assert_true(c->awaiting);
	script_event(&f.s, (struct event){.id = WIRE_OUTSTANDING, .fd = 77});
	script_event(&f.s, (struct event){.id = WIRE_OUTSTANDING, .fd = 5, .a0 = 1, .t0 = 99}); /* never used: made then */
	assert_int_equal(c->pub.connect_t1, 99);
	script_read(&f.s, 5, "y");
	assert_false(c->awaiting);
	script_done(&f.s);
}

TEST_MAIN(cmocka_unit_test(asked_before_it_was_watched), cmocka_unit_test(counts_and_times), cmocka_unit_test(ends),
	  cmocka_unit_test(no_end_beside_the_stream), cmocka_unit_test(what_moves_no_data),
	  cmocka_unit_test(end_that_was_looked_at), cmocka_unit_test(moved_by_the_kernel))
