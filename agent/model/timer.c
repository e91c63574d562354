/*
 * Timers that may end a wait from outside: alarm and setitimer (with SIGALRM's disposition), timer descriptors in a set, and those that a
 * language's runtime keeps and was heard to speak of.
 * The session's thread only.
 */
#include <signal.h>

#include "model/private.h"

/* The next expiry after `now` of a timer that was due at `due`; 0 if it is over. */
static uint64_t next_due(uint64_t due, uint64_t period, uint64_t now)
{
	if (due == 0 || due > now)
		return due;
	return period ? due + ((now - due) / period + 1) * period : 0;
}

void timer_refresh(struct proc *p, uint64_t now_ns)
{
	p->pub.itimer_due_ns = next_due(p->pub.itimer_due_ns, p->itimer_period_ns, now_ns);
}

/* When a one-shot timer descriptor is due, 0 if it is not, or not one. A periodic one is a tick, nobody's deadline. */
uint64_t timer_fd_due(struct connx *c, uint64_t now_ns)
{
	if (!c->timerfd || c->timer_period_ns)
		return 0;
	c->timer_due_ns = next_due(c->timer_due_ns, 0, now_ns);
	return c->timer_due_ns;
}

void timer_on_itimer(struct model *m, struct proc *p, const struct event *e)
{
	(void)m;
	p->pub.itimer_due_ns = e->a1 ? e->t0 + e->a1 : 0;
	p->pub.itimer_len_ns = e->a1;
	p->itimer_period_ns = e->a0;
}

void timer_on_sigaction(struct model *m, struct proc *p, const struct event *e)
{
	(void)m;
	if (e->a0 == SIGALRM && e->ret >= 0)
		p->pub.sigalrm_interrupts = !(e->a1 & SA_RESTART);
}

void timer_on_timerfd_create(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret < 0 || e->ret > INT32_MAX)
		return;
	struct connx *c = conn_new(m, p, (int)e->ret, CONN_OTHER, e);
	if (!c)
		return;
	c->timerfd = true;
	conn_tell_open(m, c, e);
}

void timer_on_timerfd_settime(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_find(p, e->fd);

	(void)m;
	if (!c || !c->timerfd)
		return;
	c->timer_due_ns = e->a1 ? e->t0 + e->a1 : 0;
	c->timer_period_ns = e->a0;
}

static void others(struct process *p, const struct event *e)
{
	const int64_t left = (int64_t)e->a1;

	p->timers_known = true;
	if (left < 0 && p->timers_due_ns)
		p->timers_gone_ns = e->t1;
	p->timers_due_ns = left < 0 ? 0 : e->t1 + (uint64_t)left;
}

void timer_on_deadline(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->fd >= 0 ? conn_find(p, e->fd) : NULL;
	const int64_t left = (int64_t)e->a1;
	const struct conn_deadline told = {.due_ns = left < 0 ? 0 : e->t1 + (uint64_t)left, .set_ns = e->t1};

	(void)m;
	if (e->a0 == WIRE_DEADLINE_OTHERS)
		others(&p->pub, e);
	else if (c && e->a0 == WIRE_DEADLINE_BOTH)
		c->pub.runtime[WIRE_DEADLINE_READ] = c->pub.runtime[WIRE_DEADLINE_WRITE] = told;
	else if (c && e->a0 < WIRE_DEADLINE_OTHERS)
		c->pub.runtime[e->a0] = told;
}
