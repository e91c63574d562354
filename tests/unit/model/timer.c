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
	script_event(&s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM, .a1 = 0});
	assert_true(model_process(s.model, 100)->sigalrm_interrupts);
	script_fork(&s, 200);
	assert_true(model_process(s.model, 200)->sigalrm_interrupts);
	script_event(&s, (struct event){.id = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM, .a1 = SA_RESTART});
	assert_false(model_process(s.model, 100)->sigalrm_interrupts);
	script_start(&s, 200, 100, "/bin/b"); /* exec resets handlers */
	assert_false(model_process(s.model, 200)->sigalrm_interrupts);
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

TEST_MAIN(cmocka_unit_test(alarms), cmocka_unit_test(dispositions), cmocka_unit_test(timer_descriptors))
