/*
 * Connection attempts: one is told exactly once, when its end is known. A blocking connect says so itself. A non-blocking one ends with
 * the first proof: SO_ERROR read, bytes moved, an error of a read or write, an epoll event, a second connect, or it is given up.
 * poll and select only show that it ended (select marks success and failure alike), so they set the time but prove nothing.
 */
#include <errno.h>

#include "core/elapsed.h"
#include "model/private.h"

#define CLOCK_SLACK_NS (20 * 1000000ULL) /* the kernel counts in ticks */

void connect_end(struct model *m, struct connx *c, const struct event *e, int err)
{
	if (!c->connecting)
		return;
	c->connecting = false;
	c->pub.connect_err = err;
	c->pub.connect_t1 = c->ready_ns ? c->ready_ns : e ? e->t1 : m->now;
	if (err)
		c->pub.end = CONN_CONNECT_FAILED;
	TELL(m, conn_connect, &c->pub, e);
	epoll_update(c);
}

void connect_ready(struct model *m, struct connx *c, const struct event *e, bool proof)
{
	if (!c->connecting)
		return;
	if (!c->ready_ns)
		c->ready_ns = e->t1;
	if (proof)
		connect_end(m, c, e, 0);
}

/* Closed before any proof: a timeout of the program's own if a wait for it ran out, else it lost interest (happy eyeballs). If a poll
 * had shown the end and nobody asked how, the number was closed for a reason: refused is not known, so it stays a cancel. */
void connect_abandon(struct model *m, struct connx *c, const struct event *e)
{
	connect_end(m, c, e, c->connect_expired ? ETIMEDOUT : ECANCELED);
	if (!c->connect_expired)
		c->pub.end = CONN_CLOSED_BY_US;
}

void connect_by_data(struct model *m, struct connx *c, const struct event *e)
{
	if (!c->connecting)
		return;
	if (e->ret > 0 || (e->ret == 0 && e->id == WIRE_READ)) {
		connect_end(m, c, e, 0);
	} else if (e->err == EAGAIN || e->err == EINTR) {
		/* An attempt that failed would have said so. */
		if (c->ready_ns)
			connect_end(m, c, e, 0);
	} else if (e->err != 0 && e->err != ENOTCONN && e->err != EINVAL) {
		connect_end(m, c, e, e->err == EPIPE ? ECONNREFUSED : e->err);
	}
}

static void begin(struct connx *c, const struct event *e)
{
	c->connecting = true;
	c->ready_ns = 0;
	c->connect_expired = false;
	c->pub.connect_before = false;
	c->pub.end = CONN_OPEN;
	c->pub.connect_t0 = e->t0;
	c->pub.connect_t1 = 0;
	c->pub.connect_err = EINPROGRESS;
	c->pub.connect_stack = e->stack;
	c->connect_tid = e->tid;
	if (c->pub.kind == CONN_TCP && !c->pub.process->first_client_ns)
		c->pub.process->first_client_ns = e->t0;
}

/* connect says EINPROGRESS of a non-blocking socket at once, and of a blocking one when SO_SNDTIMEO has run out. */
static bool send_timeout_ran_out(const struct connx *c, const struct event *e)
{
	return e->ret < 0 && e->err == EINPROGRESS && !c->pub.nonblocking && c->pub.sndtimeo_ns > 0 &&
	       elapsed_ns(e->t0, e->t1) + CLOCK_SLACK_NS >= (uint64_t)c->pub.sndtimeo_ns;
}

/* Of a socket from before, nobody may have said what it is: whom it connects to does. */
static void learn_kind(struct connx *c, const struct event *e)
{
	sa_family_t family = AF_UNSPEC;

	if (e->data_len >= sizeof(family))
		memcpy(&family, e->data, sizeof(family));
	if (c->pub.inherited && c->pub.kind == CONN_TCP && family == AF_UNIX)
		c->pub.kind = CONN_UNIX;
}

/* connect was entered. Should it never return (a jump out of a signal handler, the end), this is all that is known. */
void connect_on_connecting(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_use(m, p, e->fd, e);

	if (c)
		learn_kind(c, e);
	if (!c || c->connecting || (c->pub.connect_t1 && !c->pub.connect_err) ||
	    (c->pub.kind != CONN_TCP && c->pub.kind != CONN_UNIX))
		return;
	c->pub.role = CONN_CLIENT;
	peer_set(m, c, p, e->data, e->data_len);
	begin(c, e);
	c->entered = !(e->flags & WIRE_F_BEFORE);
	if (e->flags & WIRE_F_BEFORE) {
		c->connect_tid = 0;
		c->pub.connect_before = true;
	}
	epoll_update(c);
}

void connect_on_connect(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_use(m, p, e->fd, e);

	if (!c)
		return;
	learn_kind(c, e);
	if (c->pub.kind != CONN_TCP && c->pub.kind != CONN_UNIX) {
		/* A datagram socket only notes its peer: nothing is attempted. */
		if (e->ret >= 0 && e->data_len) {
			c->pub.role = CONN_CLIENT;
			peer_set(m, c, p, e->data, e->data_len);
		}
		return;
	}
	c->pub.role = CONN_CLIENT;
	if (c->entered) { /* announced, and now it has returned */
		c->entered = false;
		c->connecting = false;
	}
	bool expired = send_timeout_ran_out(c, e);
	if (e->a1 == 1 && !expired)
		c->pub.nonblocking = true;
	wait_by_call(m, p, c, WAIT_CONNECT, e);
	if (c->connecting) {
		/* Asked again how the one under way fares. */
		if (e->ret == 0 || e->err == EISCONN)
			connect_end(m, c, e, 0);
		else if (e->err != EALREADY && e->err != EINPROGRESS && e->err != EINTR)
			connect_end(m, c, e, e->err);
		return;
	}
	if (e->err == EISCONN)
		return;
	peer_set(m, c, p, e->data, e->data_len);
	begin(c, e);
	if (e->ret == 0)
		connect_end(m, c, e, 0);
	else if (e->err != EINPROGRESS && e->err != EINTR && !(e->err == EAGAIN && c->pub.kind == CONN_TCP))
		connect_end(m, c, e, e->err);
	else if (expired || (!c->pub.nonblocking && e->err == EINPROGRESS))
		c->connect_expired = true;
	epoll_update(c);
}
