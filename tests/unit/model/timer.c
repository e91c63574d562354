/* Alarms and SIGALRM's disposition. */
#include "test.h"

#include <signal.h>

#include "model/private.h"
#include "model/witness.h"

static void itimer(struct script *s, uint64_t first, uint64_t period)
{
	script_event(s, (struct event){.id = WIRE_ITIMER, .fd = -1, .a0 = period, .a1 = first});
}

static void alarms(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	uint64_t set = s.now;
	itimer(&s, 5 * SCRIPT_SEC, 0);
	const struct process *p = model_process(s.model, 100);
	assert_true(p->itimer_due_ns == set + 5 * SCRIPT_SEC);
	script_pass(&s, 6 * SCRIPT_SEC);
	script_sleep(&s, SCRIPT_SEC); /* any wait looks at the time */
	assert_true(p->itimer_due_ns == 0);
	set = s.now;
	itimer(&s, 5 * SCRIPT_SEC, 2 * SCRIPT_SEC);
	script_pass(&s, 8 * SCRIPT_SEC);
	script_sleep(&s, SCRIPT_SEC);
	assert_true(p->itimer_due_ns == set + 9 * SCRIPT_SEC);
	itimer(&s, 0, 0);
	assert_true(p->itimer_due_ns == 0);
	script_done(&s);
}

static void dispositions(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	itimer(&s, 0, 0);
	assert_true(model_process(s.model, 100)->sigalrm_interrupts); /* by default it ends the process */
	script_event(&s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM, .a1 = 0});
	assert_true(model_process(s.model, 100)->sigalrm_interrupts);
	script_fork(&s, 200);
	assert_true(model_process(s.model, 200)->sigalrm_interrupts);
	script_event(&s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM, .a1 = SA_RESTART});
	assert_false(model_process(s.model, 100)->sigalrm_interrupts);
	script_event(&s, (struct event){.pid = 200, .id = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM, .a1 = SA_RESTART});
	script_start(&s, 200, 100, "/bin/b"); /* exec resets handlers */
	assert_true(model_process(s.model, 200)->sigalrm_interrupts);
	script_done(&s);
}

static void timer_descriptors(void **state)
{
	struct connx c = {.timerfd = true, .timer_due_ns = 100};

	(void)state;
	assert_int_equal(timer_fd_due(&c, 50), 100);
	assert_int_equal(timer_fd_due(&c, 100), 0);
	assert_int_equal(timer_fd_due(&c, 50), 0); /* over is over */
	c = (struct connx){.timerfd = true, .timer_due_ns = 100, .timer_period_ns = 10};
	assert_int_equal(timer_fd_due(&c, 50), 0); /* a tick is nobody's deadline */
	c = (struct connx){.timer_due_ns = 100};
	assert_int_equal(timer_fd_due(&c, 50), 0);
}

static void say(struct script *s, int fd, enum wire_deadline what, int64_t left)
{
	script_event(s, (struct event){.id = WIRE_DEADLINE, .fd = fd, .a0 = what, .a1 = (uint64_t)left});
}

static void deadlines_of_a_runtime(void **state)
{
	struct script s;

	(void)state;
	script_init(&s);
	script_event(&s, (struct event){.id = WIRE_SOCKET, .fd = 5, .ret = 5, .a0 = (uint64_t)AF_INET << 32 | SOCK_STREAM});
	const struct conn *c = model_conn(s.model, 100, 5);
	const struct process *p = model_process(s.model, 100);
	assert_non_null(c);
	say(&s, 5, WIRE_DEADLINE_BOTH, 3 * (int64_t)SCRIPT_SEC);
	assert_true(c->runtime[WIRE_DEADLINE_READ].due_ns == model_now(s.model) + 3 * SCRIPT_SEC);
	assert_true(c->runtime[WIRE_DEADLINE_WRITE].due_ns == c->runtime[WIRE_DEADLINE_READ].due_ns);
	say(&s, 5, WIRE_DEADLINE_READ, -1);
	assert_true(c->runtime[WIRE_DEADLINE_READ].due_ns == 0 && c->runtime[WIRE_DEADLINE_WRITE].due_ns != 0);
	say(&s, 5, WIRE_DEADLINE_WHOLE, 0); /* passed already */
	assert_true(c->runtime[WIRE_DEADLINE_WHOLE].due_ns == model_now(s.model));
	say(&s, 5, (enum wire_deadline)77, 1);
	say(&s, 6, WIRE_DEADLINE_READ, 1); /* no such descriptor */
	/* Others: not known until told, then when the last is due, and since when there is none. */
	assert_false(p->timers_known);
	say(&s, -1, WIRE_DEADLINE_OTHERS, (int64_t)SCRIPT_SEC);
	assert_true(p->timers_known && p->timers_due_ns == model_now(s.model) + SCRIPT_SEC && p->timers_gone_ns == 0);
	say(&s, -1, WIRE_DEADLINE_OTHERS, -1);
	assert_true(p->timers_due_ns == 0 && p->timers_gone_ns == model_now(s.model));
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(alarms), cmocka_unit_test(dispositions), cmocka_unit_test(timer_descriptors),
	  cmocka_unit_test(deadlines_of_a_runtime))
