/*
 * When processes were begun that attempts are made by, and which ended by their own will.
 */
#include "detectors/retry.h"
#include "detectors/rig.h"

static void at(struct retry *r, uint16_t id, uint32_t pid, uint64_t ms, uint64_t a0, uint16_t flags)
{
	const struct event e = {
		.id = id, .pid = pid, .tid = pid, .t0 = ms * NS_PER_MS, .t1 = ms * NS_PER_MS, .a0 = a0, .flags = flags};

	retry_process_event(r, &e);
}

static void test_begun(void **state)
{
	struct retry r = {0};
	struct process p = {.pid = 20, .start_ns = 2070 * NS_PER_MS};

	(void)state;
	assert_int_equal(retry_process_ns(&r, NULL), 0);
	assert_int_equal(retry_process_ns(&r, &p), 2070 * NS_PER_MS);
	at(&r, WIRE_EXEC, 10, 1000, 0, WIRE_F_VFORK_CHILD);
	at(&r, WIRE_EXEC, 10, 2000, 0, WIRE_F_VFORK_CHILD);
	at(&r, WIRE_EXEC, 11, 2050, 0, WIRE_F_VFORK_CHILD); /* somebody else's */
	at(&r, WIRE_PROCESS_START, 20, 2070, 10, 0);
	assert_int_equal(retry_process_ns(&r, &p), 2000 * NS_PER_MS);
	p.pid = 21;
	assert_int_equal(retry_process_ns(&r, &p), 2070 * NS_PER_MS);
	at(&r, WIRE_PROCESS_START, 21, 2070, 12, 0); /* of a parent that is not watched */
	assert_int_equal(retry_process_ns(&r, &p), 2070 * NS_PER_MS);
	for (unsigned int i = 0; i < 3 * RETRY_EXECS_MAX; i++)
		at(&r, WIRE_EXEC, 10, 3000 + i, 0, 0);
	assert_int_equal(retry_process_ns(&r, &p), 2070 * NS_PER_MS);
}

static void waits(struct retry *r, uint32_t pid, uint32_t tid, uint64_t ms, int64_t child)
{
	const struct event e = {
		.id = WIRE_WAITPID, .pid = pid, .tid = tid, .t0 = ms * NS_PER_MS, .t1 = 9000 * NS_PER_MS, .ret = child};

	retry_process_event(r, &e);
}

/* The gap before a program was started ends when its shell began to wait for it. */
static void test_waited_for(void **state)
{
	struct retry_client c = {.seq = {.active = true,
					 .pid = 20,
					 .attempts = 3,
					 .gaps_n = 2,
					 .gap_ns = 1000 * NS_PER_MS,
					 .last_gap_ns = 90 * NS_PER_MS,
					 .gaps = {80 * NS_PER_MS, 90 * NS_PER_MS}}};
	struct retry r = {.active = &c};

	(void)state;
	waits(&r, 12, 12, 1005, -1);
	waits(&r, 12, 12, 1005, 21); /* another child */
	waits(&r, 12, 13, 1005, 20); /* a thread that waits for whatever ends */
	waits(&r, 12, 12, 990, 20);
	waits(&r, 12, 12, 1100, 20);
	assert_int_equal(c.seq.gaps[1], 90 * NS_PER_MS);
	waits(&r, 12, 12, 1005, 20);
	assert_int_equal(c.seq.gaps[1], 5 * NS_PER_MS);
	assert_int_equal(c.seq.last_gap_ns, 5 * NS_PER_MS);
	assert_int_equal(c.seq.gaps[0], 80 * NS_PER_MS);
	c.seq.gap_ns = 0; /* one process made both attempts */
	waits(&r, 12, 12, 1002, 20);
	assert_int_equal(c.seq.gaps[1], 5 * NS_PER_MS);
}

/* A process that said that it exits, and is gone then, gave up; one that is killed did not. */
static void test_exit(void **state)
{
	struct retry_client c = {.seq = {.active = true, .pid = 20}}, killed = {.seq = {.active = true, .pid = 21}};
	struct retry r = {.active = &c};
	const struct process p = {.pid = 20}, q = {.pid = 21};

	(void)state;
	c.active_next = &killed;
	at(&r, WIRE_PROCESS_EXIT, 20, 100, 0,
	   WIRE_F_VFORK_CHILD); /* a child of vfork that could not exec, under its parent's number */
	retry_process_gone(&r, &p);
	assert_false(c.seq.exited);
	assert_int_equal(c.seq.exit_ns, 0);
	at(&r, WIRE_PROCESS_EXIT, 20, 200, 0, 0);
	assert_int_equal(c.seq.exit_ns, 200 * NS_PER_MS);
	assert_false(c.seq.exited);
	retry_process_gone(&r, &q);
	retry_process_gone(&r, &p);
	assert_true(c.seq.exited);
	assert_false(killed.seq.exited);
}

/* What a process was started for may go on as long as the one that started it does: a shell's loop around curl. */
static void test_exit_of_a_child(void **state)
{
	struct retry_client c = {.seq = {.active = true, .pid = 20}};
	struct retry r = {.active = &c};
	struct script s;

	(void)state;
	script_init(&s);
	script_start(&s, 12, 3, "/bin/sh");
	script_start(&s, 20, 12, "/usr/bin/curl");
	r.env.model = s.model;
	at(&r, WIRE_PROCESS_EXIT, 20, 100, 0, 0);
	retry_process_gone(&r, model_process(s.model, 20));
	assert_true(c.seq.exited);
	assert_int_equal(c.seq.boss, 12);
	retry_process_gone(&r, model_process(s.model, 12)); /* killed */
	assert_int_equal(c.seq.boss, 12);
	at(&r, WIRE_PROCESS_EXIT, 12, 200, 0, 0);
	retry_process_gone(&r, model_process(s.model, 12));
	assert_int_equal(c.seq.boss, 0);
	script_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_begun), cmocka_unit_test(test_waited_for),
					   cmocka_unit_test(test_exit), cmocka_unit_test(test_exit_of_a_child)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
