/* Processes: start, fork, spawn, exec, exit, and what descriptors they share. */
#include "test.h"

#include "model/witness.h"

static void fork_is_one_child_whichever_record_comes_first(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "process exit");
	script_start(&s, 100, 1, "/bin/a");
	script_fork(&s, 200); /* child's record first */
	script_event(&s, (struct event){.id = WIRE_FORK, .fd = -1, .ret = 300});
	script_event(&s, (struct event){.id = WIRE_FORK_CHILD, .pid = 300, .fd = -1, .a0 = 100});
	witness_is(&w, "process 100 of 1 /bin/a\nprocess 200 of 100 /bin/a\nprocess 300 of 100 /bin/a\n");
	/* The number is used again: the old one must be over. */
	script_fork(&s, 200);
	witness_is(&w, "exit 200\nprocess 200 of 100 /bin/a\n");
	script_done(&s);
}

static void a_go_program_stays_one_until_another_source_knows_better(void **state)
{
	struct script s;
	(void)state;

	script_init(&s);
	script_event(&s, (struct event){.id = WIRE_PROCESS_START, .fd = -1, .a1 = 1});
	assert_true(model_process(s.model, 100)->go);
	script_event(&s, (struct event){.id = WIRE_PROCESS_START, .fd = -1}); /* the shim in it: it does not know */
	assert_true(model_process(s.model, 100)->go);
	script_fork(&s, 200);
	assert_true(model_process(s.model, 200)->go);
	script_event(&s, (struct event){.id = WIRE_PROCESS_START, .fd = -1, .a1 = 2});
	assert_false(model_process(s.model, 100)->go);
	script_done(&s);
}

static void a_forked_server_connection_lives_until_the_last_copy(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close exit");
	script_listen(&s, 3, 80);
	script_accept(&s, 3, 4, "10.0.0.7", 5555);
	script_fork(&s, 200);
	assert_int_equal(model_conn(s.model, 200, 4)->refs, 2);
	script_close(&s, 4);
	witness_is(&w, "");
	assert_int_equal(model_conn(s.model, 200, 4)->process->pid, 200);
	s.pid = 200;
	script_close(&s, 4);
	witness_is(&w, "close 4 by-us\n");
	script_exit(&s, 200);
	witness_is(&w, "exit 200\n"); /* the listener is the parent's, too */
	script_exit(&s, 100);
	witness_is(&w, "close 3 by-us\nexit 100\n");
	script_done(&s);
}

static void a_client_connection_given_up_is_closed_although_a_child_has_an_unused_copy(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close");
	script_socket(&s, 5);
	script_connect(&s, 5, "10.0.0.9", 5432, 0);
	script_fork(&s, 200);
	script_close(&s, 5);
	witness_is(&w, "close 5 by-us\n");
	assert_null(model_conn(s.model, 200, 5));

	/* A copy that the child uses counts. */
	script_socket(&s, 5);
	script_connect(&s, 5, "10.0.0.9", 5432, 0);
	script_fork(&s, 300);
	s.pid = 300;
	script_write(&s, 5, "x");
	s.pid = 100;
	script_close(&s, 5);
	witness_is(&w, "");
	script_exit(&s, 300);
	witness_is(&w, "close 5 by-us\n");
	script_done(&s);
}

static void exec_drops_what_is_marked(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close process");
	script_start(&s, 100, 1, "/bin/a");
	script_socket_of(&s, 5, AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
	script_socket(&s, 6);
	script_dup(&s, 6, 7, O_CLOEXEC);
	script_start(&s, 100, 1, "/bin/b");
	witness_is(&w, "process 100 of 1 /bin/a\nclose 5 by-us\n");
	assert_string_equal(model_process(s.model, 100)->exe, "/bin/b");
	assert_non_null(model_conn(s.model, 100, 6));
	assert_null(model_conn(s.model, 100, 7));
	script_done(&s);
}

static void the_program_of_a_process_that_was_there_before_is_told(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "program");
	script_socket(&s, 5);
	witness_is(&w, "");
	script_start(&s, 100, 1, "/bin/a");
	witness_is(&w, "program 100 /bin/a\n");
	script_start(&s, 100, 1, "/bin/b");
	witness_is(&w, "program 100 /bin/b\n");
	script_done(&s);
}

static void spawned_children_hold_nothing_until_they_use_it(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close process");
	script_socket(&s, 5);
	script_socket_of(&s, 6, AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
	script_event(&s, (struct event){.id = WIRE_SPAWN, .fd = -1, .ret = 200, .data = (const uint8_t *)"/bin/c", .data_len = 6});
	script_start(&s, 200, 100, "/bin/c");
	witness_is(&w, "process 100 of 0 \nprocess 200 of 100 /bin/c\n");
	assert_ptr_equal(model_conn(s.model, 200, 5), model_conn(s.model, 100, 5));
	assert_null(model_conn(s.model, 200, 6));
	script_close(&s, 5);
	witness_is(&w, "close 5 by-us\n");

	/* The child's own record may overtake the parent's. */
	script_start(&s, 300, 100, "/bin/d");
	script_event(&s, (struct event){.id = WIRE_SPAWN, .fd = -1, .ret = 300});
	witness_is(&w, "process 300 of 100 /bin/d\n");
	script_done(&s);
}

static void exit_handlers_still_act(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close exit data");
	script_socket(&s, 5);
	script_connect(&s, 5, "10.0.0.9", 80, 0);
	script_event(&s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
	script_write(&s, 5, "bye");
	witness_is(&w, "data 5 out 3\n");
	/* Reaped by the parent, or found gone, or the session ends. */
	script_finish(&s);
	witness_is(&w, "close 5 by-us\nexit 100\n");
	script_done(&s);
}

static void a_reaped_child_is_gone(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "exit");
	script_fork(&s, 200);
	script_event(&s, (struct event){.id = WIRE_WAITPID, .fd = -1, .ret = 200, .a0 = 0x137f}); /* stopped */
	witness_is(&w, "");
	script_event(&s, (struct event){.id = WIRE_WAITPID, .fd = -1, .ret = 200, .a0 = 0x0100}); /* exit status 1 */
	witness_is(&w, "exit 200\n");
	script_event(&s, (struct event){.id = WIRE_PROCESS_GONE, .pid = 200, .fd = -1});
	witness_is(&w, "");
	script_done(&s);
}

static void the_table_of_processes_is_bounded(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	for (uint32_t pid = 1000; pid < 1000 + LIMIT_PROCESSES + 10; pid++)
		script_start(&s, pid, 1, "/bin/x");
	assert_int_equal(s.counters.limit[LIMIT_REACHED_PROCESSES], 10);
	assert_null(model_process(s.model, 1000 + LIMIT_PROCESSES));
	script_exit(&s, 1000);
	script_start(&s, 9999, 1, "/bin/x");
	assert_non_null(model_process(s.model, 9999));
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(a_go_program_stays_one_until_another_source_knows_better),
	  cmocka_unit_test(fork_is_one_child_whichever_record_comes_first),
	  cmocka_unit_test(a_forked_server_connection_lives_until_the_last_copy),
	  cmocka_unit_test(a_client_connection_given_up_is_closed_although_a_child_has_an_unused_copy),
	  cmocka_unit_test(exec_drops_what_is_marked), cmocka_unit_test(the_program_of_a_process_that_was_there_before_is_told),
	  cmocka_unit_test(spawned_children_hold_nothing_until_they_use_it), cmocka_unit_test(exit_handlers_still_act),
	  cmocka_unit_test(a_reaped_child_is_gone), cmocka_unit_test(the_table_of_processes_is_bounded))
