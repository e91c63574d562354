/*
 * epoll sets. A wait on a set covers every member; only members with something outstanding (connecting, or bytes sent and none received
 * since) are told of it, and at most TOLD_MAX of them a call, in turn, so that a busy loop with many connections stays cheap.
 *
 * A set belongs to its own description (dup shares it), and a member is known by the number it was registered with, as in the kernel.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "model/private.h"

#define TOLD_MAX 64U
#define READY_MAX 64U

struct epoll_reg {
	struct epoll_set *set;
	struct connx *conn;
	struct epoll_reg *conn_prev, *conn_next;   /* registrations of the conn */
	struct epoll_reg *armed_prev, *armed_next; /* of the set, those with something outstanding */
	int fd;
	uint32_t events;
	uint64_t data;
	uint64_t ready_in; /* number of the wait that returned it */
	bool armed;
	UT_hash_handle hh;      /* by fd */
	UT_hash_handle hh_data; /* by user data */
};

struct epoll_set {
	struct epoll_reg *by_fd, *by_data;
	struct epoll_reg *armed, *armed_last;
	unsigned int timers; /* members that are timers */
	uint64_t waits;
};

static bool outstanding(const struct connx *c)
{
	return !c->told_close && c->pub.role == CONN_CLIENT && (c->connecting || c->awaiting || c->requests);
}

static void disarm(struct epoll_reg *r)
{
	if (!r->armed)
		return;
	if (r->armed_prev)
		r->armed_prev->armed_next = r->armed_next;
	else
		r->set->armed = r->armed_next;
	if (r->armed_next)
		r->armed_next->armed_prev = r->armed_prev;
	else
		r->set->armed_last = r->armed_prev;
	r->armed = false;
	r->armed_prev = r->armed_next = NULL;
}

static void arm(struct epoll_reg *r)
{
	if (r->armed)
		return;
	r->armed = true;
	r->armed_next = NULL;
	r->armed_prev = r->set->armed_last;
	if (r->armed_prev)
		r->armed_prev->armed_next = r;
	else
		r->set->armed = r;
	r->set->armed_last = r;
}

void epoll_update(struct connx *c)
{
	for (struct epoll_reg *r = c->regs; r; r = r->conn_next) {
		if (outstanding(c))
			arm(r);
		else
			disarm(r);
	}
}

static void reg_free(struct epoll_reg *r)
{
	disarm(r);
	HASH_DELETE(hh, r->set->by_fd, r);
	HASH_DELETE(hh_data, r->set->by_data, r);
	r->set->timers -= r->conn->timerfd;
	if (r->conn_prev)
		r->conn_prev->conn_next = r->conn_next;
	else
		r->conn->regs = r->conn_next;
	if (r->conn_next)
		r->conn_next->conn_prev = r->conn_prev;
	free(r);
}

void epoll_forget(struct connx *c)
{
	while (c->regs)
		reg_free(c->regs);
	if (!c->set)
		return;
	while (c->set->by_fd)
		reg_free(c->set->by_fd);
	free(c->set);
	c->set = NULL;
}

static struct epoll_set *set_of(struct connx *c)
{
	if (!c->set)
		c->set = calloc(1, sizeof(*c->set));
	return c->set;
}

void epoll_on_create(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret < 0 || e->ret > INT32_MAX)
		return;
	struct connx *c = conn_new(m, p, (int)e->ret, CONN_OTHER, e);
	if (!c)
		return;
	fdtable_get(&p->fds, (int)e->ret)->cloexec = e->a0 & EPOLL_CLOEXEC;
	set_of(c);
	conn_tell_open(m, c, e);
}

static struct epoll_reg *find_reg(struct epoll_set *s, int fd)
{
	struct epoll_reg *r;

	HASH_FIND(hh, s->by_fd, &fd, sizeof(fd), r);
	return r;
}

static void add(struct model *m, struct epoll_set *s, struct connx *c, int fd, uint64_t data, uint32_t events)
{
	if (HASH_CNT(hh, s->by_fd) >= LIMIT_EPOLL_ENTRIES) {
		m->counters->limit[LIMIT_REACHED_EPOLL]++;
		return;
	}
	struct epoll_reg *r = calloc(1, sizeof(*r));
	if (!r)
		return;
	*r = (struct epoll_reg){.set = s, .conn = c, .fd = fd, .data = data, .events = events, .conn_next = c->regs};
	HASH_ADD(hh, s->by_fd, fd, sizeof(r->fd), r);
	if (find_reg(s, fd) != r) {
		free(r);
		return;
	}
	HASH_ADD(hh_data, s->by_data, data, sizeof(r->data), r);
	if (c->regs)
		c->regs->conn_prev = r;
	c->regs = r;
	s->timers += c->timerfd;
	if (outstanding(c))
		arm(r);
}

void epoll_on_ctl(struct model *m, struct proc *p, const struct event *e)
{
	int op = (int)(e->a0 >> 32), fd = (int)(e->a0 & UINT32_MAX);
	uint32_t events = 0;
	struct connx *ep = e->ret < 0 ? NULL : conn_use(m, p, e->fd, e);
	struct epoll_set *s = ep ? set_of(ep) : NULL;

	if (!s)
		return;
	if (e->data_len >= sizeof(events))
		memcpy(&events, e->data, sizeof(events));
	struct epoll_reg *r = find_reg(s, fd);
	if (op == EPOLL_CTL_MOD && r) {
		HASH_DELETE(hh_data, s->by_data, r);
		r->data = e->a1;
		r->events = events;
		HASH_ADD(hh_data, s->by_data, data, sizeof(r->data), r);
		return;
	}
	if (r)
		reg_free(r);
	if (op == EPOLL_CTL_DEL)
		return;
	struct connx *c = conn_use(m, p, fd, e);
	if (c && c != ep)
		add(m, s, c, fd, e->a1, events);
}

static uint64_t earliest_timer(const struct epoll_set *s, uint64_t now)
{
	uint64_t due = 0;

	if (s->timers == 0)
		return 0;
	for (struct epoll_reg *r = s->by_fd; r; r = r->hh.next) {
		uint64_t one = timer_fd_due(r->conn, now);
		if (one && (!due || one < due))
			due = one;
	}
	return due;
}

/* Mark what the wait returned. */
static void mark_ready(struct epoll_set *s, const struct event *e)
{
	for (size_t i = 0; i < READY_MAX && (i + 1) * sizeof(struct wire_epoll) <= e->data_len; i++) {
		struct wire_epoll ready;
		struct epoll_reg *r;
		memcpy(&ready, e->data + i * sizeof(ready), sizeof(ready));
		HASH_FIND(hh_data, s->by_data, &ready.data, sizeof(ready.data), r);
		if (r)
			r->ready_in = s->waits;
	}
}

/* An epoll event of a connecting socket proves success, unless it carries an error: that one is read or noticed later. */
static void prove(struct model *m, struct epoll_set *s, const struct event *e)
{
	for (size_t i = 0; i < READY_MAX && (i + 1) * sizeof(struct wire_epoll) <= e->data_len; i++) {
		struct wire_epoll ready;
		struct epoll_reg *r;
		memcpy(&ready, e->data + i * sizeof(ready), sizeof(ready));
		if (!(ready.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			continue;
		HASH_FIND(hh_data, s->by_data, &ready.data, sizeof(ready.data), r);
		if (r)
			connect_ready(m, r->conn, e, !(ready.events & (EPOLLERR | EPOLLHUP)));
	}
}

static void tell(struct model *m, struct proc *p, struct epoll_set *s, const struct event *e, struct wait w)
{
	struct epoll_reg *last = s->armed_last;

	w.how = WAIT_BY_EPOLL;
	w.covers = HASH_CNT(hh, s->by_fd);
	w.timer_due_ns = earliest_timer(s, e->t0);
	for (unsigned int i = 0; i < TOLD_MAX && s->armed; i++) {
		struct epoll_reg *r = s->armed;
		bool is_last = r == last;
		disarm(r);
		arm(r); /* to the end: the next call begins with the one after it */
		struct wait one = w;
		one.conn = &r->conn->pub;
		one.op = wait_op_of(r->conn, POLLIN);
		if (w.outcome == WAIT_READY && r->ready_in != s->waits)
			one.outcome = WAIT_INTERRUPTED;
		if (w.outcome == WAIT_TIMED_OUT && r->conn->connecting)
			r->conn->connect_expired = true;
		wait_tell(m, p, e, one);
		if (is_last)
			break;
	}
}

void epoll_on_wait(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *ep = conn_use(m, p, e->fd, e);
	struct epoll_set *s = ep ? set_of(ep) : NULL;
	enum wait_outcome outcome = WAIT_READY;

	if (!s)
		return;
	s->waits++;
	if (e->ret < 0)
		outcome = e->err == EINTR ? WAIT_INTERRUPTED : WAIT_FAILED;
	else if (e->ret == 0)
		outcome = WAIT_TIMED_OUT;
	/* Of a server's loop nobody waits for an answer: its waits say nothing of any connection. */
	if (e->a1 != 0 && s->armed) {
		mark_ready(s, e);
		tell(m, p, s, e, (struct wait){.outcome = outcome, .limit_ns = (int64_t)e->a1});
	} else if ((int64_t)e->a1 > 0 && outcome == WAIT_TIMED_OUT) {
		wait_tell(m, p, e,
			  (struct wait){.op = WAIT_LOOP, .how = WAIT_BY_EPOLL, .outcome = outcome, .limit_ns = (int64_t)e->a1});
	}
	prove(m, s, e);
}

void epoll_inflight(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *ep = conn_use(m, p, e->fd, e);

	if (ep && ep->set && ep->set->armed && e->a1 != 0)
		tell(m, p, ep->set, e, (struct wait){.outcome = WAIT_PENDING, .limit_ns = (int64_t)e->a1});
}
