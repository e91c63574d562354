/* Open file descriptions: sharing, reuse of numbers, inherited ones, limits, the session's end. */
#include "test.h"

#include "model/witness.h"

static void dup_shares_until_the_last_close(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close");
	script_socket(&s, 5);
	script_dup(&s, 5, 9, 0);
	assert_ptr_equal(model_conn(s.model, 100, 5), model_conn(s.model, 100, 9));
	script_close(&s, 5);
	assert_int_equal(model_conn(s.model, 100, 9)->fd, 9);
	witness_is(&w, "open 5 tcp\n");
	script_close(&s, 9);
	witness_is(&w, "close 9 by-us\n");
	script_close(&s, 9);
	witness_is(&w, "");
	script_done(&s);
}

static void dup2_onto_another_closes_it(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close");
	script_socket(&s, 5);
	script_socket(&s, 6);
	script_dup(&s, 5, 6, 0);
	witness_is(&w, "close 6 by-us\n");
	script_dup(&s, 5, 6, 0);
	script_dup(&s, 5, 5, 0);
	witness_is(&w, "");
	assert_int_equal(model_conn(s.model, 100, 6)->refs, 2);
	script_done(&s);
}

static void a_number_given_out_again_shows_a_close_that_was_lost(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close");
	script_socket(&s, 5);
	script_open(&s, 5, "/var/log/x.log", O_WRONLY | O_APPEND);
	witness_is(&w, "open 5 tcp\nclose 5 by-us\nopen 5 file\n");
	script_write_err(&s, 5, EBADF);
	witness_is(&w, "close 5 by-us\n");
	script_done(&s);
}

static void unknown_descriptors_are_inherited(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close wait");
	script_read(&s, 7, "hello");
	const struct conn *c = model_conn(s.model, 100, 7);
	assert_true(c->inherited && c->rcvtimeo_ns == WAIT_UNKNOWN && c->sndtimeo_ns == WAIT_UNKNOWN);
	witness_is(&w, "open 7 tcp inherited\nwait 7 read by call ready limit unknown of 1\n");
	script_read_err(&s, 8, EBADF);
	script_read_err(&s, 9, ENOTSOCK);
	witness_is(&w, "");
	script_done(&s);
}

/* A worker makes its parent's socket non-blocking before it listens at it: the first call of a descriptor does not say what it is. */
static void what_an_inherited_descriptor_is_later_calls_say(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_nonblock(&s, 3, true);
	assert_int_equal(model_conn(s.model, 100, 3)->kind, CONN_OTHER);
	script_event(&s, (struct event){.id = WIRE_LISTEN, .fd = 3, .a0 = 128});
	script_accept(&s, 3, 5, "10.0.0.7", 40000);
	assert_int_equal(model_conn(s.model, 100, 3)->kind, CONN_TCP);
	assert_int_equal(model_conn(s.model, 100, 5)->kind, CONN_TCP);
	script_nonblock(&s, 9, true);
	script_accept(&s, 9, 6, "10.0.0.7", 40001);
	assert_int_equal(model_conn(s.model, 100, 6)->kind, CONN_TCP);
	script_done(&s);
}

static void the_table_is_bounded(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	for (unsigned int i = 0; i < LIMIT_CONNECTIONS + 5; i++)
		script_socket(&s, (int)i);
	assert_int_equal(s.counters.limit[LIMIT_REACHED_CONNECTIONS], 5);
	assert_null(model_conn(s.model, 100, (int)LIMIT_CONNECTIONS));
	script_close(&s, 3);
	script_socket(&s, (int)LIMIT_CONNECTIONS);
	assert_non_null(model_conn(s.model, 100, (int)LIMIT_CONNECTIONS));
	script_socket(&s, (int)LIMIT_FDS_PER_PROCESS);
	script_close(&s, 4);
	script_socket(&s, (int)LIMIT_FDS_PER_PROCESS);
	assert_int_equal(s.counters.limit[LIMIT_REACHED_FDS], 1);
	script_done(&s);
}

static void free_closes_without_an_event(void **state)
{
	struct script s;
	static struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close connect");
	script_socket(&s, 5);
	script_connect(&s, 5, "10.0.0.9", 80, EINPROGRESS);
	script_finish(&s);
	witness_is(&w, "");
	script_done(&s);
	witness_is(&w, "close 5 open without event\n");
}

TEST_MAIN(cmocka_unit_test(dup_shares_until_the_last_close), cmocka_unit_test(dup2_onto_another_closes_it),
	  cmocka_unit_test(a_number_given_out_again_shows_a_close_that_was_lost),
	  cmocka_unit_test(unknown_descriptors_are_inherited), cmocka_unit_test(what_an_inherited_descriptor_is_later_calls_say),
	  cmocka_unit_test(the_table_is_bounded), cmocka_unit_test(free_closes_without_an_event))
