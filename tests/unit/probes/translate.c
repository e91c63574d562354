/* translate.c: the table of system calls: what each is, whether it waits, and what its policy leaves out. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "translated.h"

static void events_of_calls(void **state)
{
	(void)state;
	assert_int_equal(translate_event(SYS_read), WIRE_READ);
	assert_int_equal(translate_event(SYS_writev), WIRE_WRITE);
	assert_int_equal(translate_event(SYS_getpid), 0);
}

static void what_a_policy_leaves_out_is_not_told(void **state)
{
	struct probe_call c = {.nr = SYS_read, .ret = 1, .args = {5}, .policy = WIRE_POLICY_NONE};

	(void)state;
	assert_false(translate_call(&c, NULL, 0, &to));
	c.policy = WIRE_POLICY_SINK; /* reads of a log */
	assert_false(translate_call(&c, NULL, 0, &to));
	c.nr = SYS_write;
	assert_true(translate_call(&c, NULL, 0, &to));
	assert_int_equal(to.record.flags, WIRE_F_SINK);
	c.wanted = 100;
	assert_true(translate_call(&c, NULL, 0, &to));
	assert_int_equal(to.record.flags, WIRE_F_SINK | WIRE_F_TRUNCATED);
	c.nr = 511;
	assert_false(translate_call(&c, NULL, 0, &to));
}

static void waits_are_known_by_their_call(void **state)
{
	struct probe_slot slot = {.nr = SYS_epoll_pwait, .args = {3, 0, 0, 250}};
	int fd = 0;

	(void)state;
	assert_int_equal(translate_waiting(&slot, &fd), WIRE_EPOLL_WAIT);
	assert_int_equal(fd, 3);
	assert_int_equal(translate_limit(&slot), 250000000);
	slot.args[3] = UINT32_MAX;
	assert_int_equal(translate_limit(&slot), -1);
	slot.nr = SYS_ppoll;
	assert_int_equal(translate_waiting(&slot, &fd), WIRE_POLL);
	assert_int_equal(fd, -1);
	slot.nr = SYS_close;
	assert_int_equal(translate_waiting(&slot, &fd), 0);
}

static void every_row_has_a_rule(void **state)
{
	struct probe_rule rules[PROBE_SYSCALLS] = {0};
	size_t n = 0;

	(void)state;
	translate_rules(rules);
	for (uint16_t nr = 0; nr < PROBE_SYSCALLS; nr++)
		n += (rules[nr].flags & RULE_WATCH) != 0;
	assert_true(n >= 50);
	assert_true(rules[SYS_read].flags & RULE_READS);
	assert_int_equal(rules[SYS_getpid].flags, 0);
}

TEST_MAIN(cmocka_unit_test(events_of_calls), cmocka_unit_test(what_a_policy_leaves_out_is_not_told),
	  cmocka_unit_test(waits_are_known_by_their_call), cmocka_unit_test(every_row_has_a_rule))
