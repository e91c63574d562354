/*
 * Waits of one call on one descriptor: blocking reads, writes, connects and accepts, and sleeps. What is a wait, and what limit it has.
 * The session's thread only.
 */
#include <errno.h>
#include <poll.h>

#include "core/elapsed.h"
#include "model/private.h"

/* A scheduler's own wait (Go's poller) says nothing of who waits: what was last called on the connection does. */
static uint32_t stack_of(const struct model *m, const struct wait *w, uint32_t stack)
{
	const struct conn *c = w->conn;

	if (!c || !stacks_is_scheduler(m->stacks, stack))
		return stack;
	return w->op == WAIT_CONNECT    ? c->connect_stack
	       : w->op == WAIT_READ     ? (c->last_out_stack ? c->last_out_stack : c->last_in_stack)
	       : c->last_out_stack != 0 ? c->last_out_stack
					: stack;
}

void wait_tell(struct model *m, struct proc *p, const struct event *e, struct wait w)
{
	timer_refresh(p, e->t0);
	w.process = &p->pub;
	w.event = e;
	w.t0 = e->t0;
	w.t1 = e->t1;
	w.tid = e->tid;
	w.stack = stack_of(m, &w, e->stack);
	w.err = e->err;
	TELL(m, wait, &w);
}

int64_t wait_option_limit(const struct connx *c, enum wait_op op)
{
	int64_t ns = op == WAIT_READ || op == WAIT_ACCEPT ? c->pub.rcvtimeo_ns : c->pub.sndtimeo_ns;

	return ns == 0 ? WAIT_INFINITE : ns;
}

enum wait_op wait_op_of(const struct connx *c, uint32_t poll_events)
{
	if (c->pub.role == CONN_LISTENER)
		return WAIT_ACCEPT;
	if (c->connecting)
		return WAIT_CONNECT;
	return (poll_events & POLLOUT) && !(poll_events & POLLIN) ? WAIT_WRITE : WAIT_READ;
}

/* EAGAIN of a descriptor that the model takes for blocking: a timeout if one is set, else the model was wrong about it. */
static bool expired(struct connx *c, int64_t limit, const struct event *e)
{
	if (limit > 0 || (limit == WAIT_UNKNOWN && elapsed_ns(e->t0, e->t1) >= 1000000))
		return true;
	c->pub.nonblocking = true;
	return false;
}

void wait_by_call(struct model *m, struct proc *p, struct connx *c, enum wait_op op, const struct event *e)
{
	int64_t limit = wait_option_limit(c, op);
	enum wait_outcome outcome = WAIT_READY;

	/* The shim takes a connect that ran into SO_SNDTIMEO for a non-blocking one; the model knows better (connect.c). */
	if (!conn_is_socket(c) || c->pub.nonblocking || ((e->flags & WIRE_F_NONBLOCK) && op != WAIT_CONNECT))
		return;
	if ((e->id == WIRE_READ || e->id == WIRE_WRITE) && (e->a1 & MSG_DONTWAIT))
		return;
	if (op == WAIT_CONNECT && c->pub.kind == CONN_UDP)
		return;
	if (e->id == WIRE_RECVMMSG && (int64_t)e->a1 >= 0)
		limit = (int64_t)e->a1;
	if (e->ret < 0) {
		outcome = e->err == EINTR ? WAIT_INTERRUPTED : WAIT_FAILED;
		/* connect says EINPROGRESS where SO_SNDTIMEO ran out. */
		if (e->err == EAGAIN || (op == WAIT_CONNECT && e->err == EINPROGRESS)) {
			if (!expired(c, limit, e))
				return;
			outcome = WAIT_TIMED_OUT;
		}
	}
	wait_tell(
		m, p, e,
		(struct wait){.conn = &c->pub, .op = op, .how = WAIT_BY_CALL, .outcome = outcome, .limit_ns = limit, .covers = 1});
}

/* Waits for other threads: with a limit they are what timer and watchdog threads do. */
void wait_on_cond(struct model *m, struct proc *p, const struct event *e)
{
	if ((int64_t)e->a1 > 0)
		wait_tell(m, p, e,
			  (struct wait){.op = WAIT_SLEEP,
					.how = WAIT_BY_COND,
					.outcome = e->err == ETIMEDOUT ? WAIT_TIMED_OUT
						   : e->err            ? WAIT_FAILED
								       : WAIT_READY,
					.limit_ns = (int64_t)e->a1});
}

void wait_on_sleep(struct model *m, struct proc *p, const struct event *e)
{
	wait_tell(m, p, e,
		  (struct wait){.op = WAIT_SLEEP,
				.how = WAIT_BY_SLEEP,
				.outcome = e->err == EINTR ? WAIT_INTERRUPTED
					   : e->err        ? WAIT_FAILED
							   : WAIT_TIMED_OUT,
				.limit_ns = (int64_t)e->a1});
}
