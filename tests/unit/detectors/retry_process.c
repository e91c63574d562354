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

/* A process that said that it exits, and is gone then, gave up; one that is killed did not. */
static void test_exit(void **state)
{
	struct retry_key k = {.seq = {.active = true, .pid = 20}}, killed = {.seq = {.active = true, .pid = 21}};
	struct retry r = {.active = &k};
	const struct process p = {.pid = 20}, q = {.pid = 21};

	(void)state;
	k.active_next = &killed;
	at(&r, WIRE_PROCESS_EXIT, 20, 100, 0,
	   WIRE_F_VFORK_CHILD); /* a child of vfork that could not exec, under its parent's number */
	retry_process_gone(&r, &p);
	assert_false(k.seq.exited);
	assert_int_equal(k.seq.exit_ns, 0);
	at(&r, WIRE_PROCESS_EXIT, 20, 200, 0, 0);
	assert_int_equal(k.seq.exit_ns, 200 * NS_PER_MS);
	assert_false(k.seq.exited);
	retry_process_gone(&r, &q);
	retry_process_gone(&r, &p);
	assert_true(k.seq.exited);
	assert_false(killed.seq.exited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_begun), cmocka_unit_test(test_exit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
