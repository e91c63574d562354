/*
 * poll and select: a wait for each descriptor of the set; and the set that a thread polled last, for a poll that does not return.
 * The session's thread only.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "model/private.h"

#define SET_MAX 64U        /* descriptors that a record lists */
#define MEMORIES_MAX 4096U /* threads of one process whose last set is kept */

static size_t read_set(const struct event *e, struct wire_pollfd *set)
{
	size_t n = e->data_len / sizeof(*set);

	if (n > SET_MAX)
		n = SET_MAX;
	if (n)
		memcpy(set, e->data, n * sizeof(*set));
	return n;
}

static void remember(struct proc *p, uint32_t tid, const struct wire_pollfd *set, size_t n)
{
	struct poll_memory *memory;

	HASH_FIND(hh, p->polls, &tid, sizeof(tid), memory);
	if (memory && memory->n < n) {
		HASH_DELETE(hh, p->polls, memory);
		free(memory);
		p->n_polls--;
		memory = NULL;
	}
	if (!memory) {
		if (p->n_polls >= MEMORIES_MAX)
			return;
		memory = calloc(1, sizeof(*memory) + n * sizeof(*set));
		if (!memory)
			return;
		memory->tid = tid;
		HASH_ADD(hh, p->polls, tid, sizeof(memory->tid), memory);
		p->n_polls++;
	}
	memory->n = (uint32_t)n;
	memcpy(memory->set, set, n * sizeof(*set));
}

void poll_forget(struct proc *p, uint32_t tid)
{
	struct poll_memory *memory;

	HASH_FIND(hh, p->polls, &tid, sizeof(tid), memory);
	if (!memory)
		return;
	HASH_DELETE(hh, p->polls, memory);
	free(memory);
	p->n_polls--;
}

void poll_forget_all(struct proc *p)
{
	while (p->polls)
		poll_forget(p, p->polls->tid);
}

static enum wait_outcome outcome_of(const struct event *e, const struct wire_pollfd *at)
{
	if (e->ret < 0)
		return e->err == EINTR ? WAIT_INTERRUPTED : WAIT_FAILED;
	if (e->ret == 0)
		return WAIT_TIMED_OUT;
	return at->revents ? WAIT_READY : WAIT_INTERRUPTED;
}

static uint64_t earliest_timer(struct proc *p, const struct wire_pollfd *set, size_t n, uint64_t now)
{
	uint64_t due = 0;

	for (size_t i = 0; i < n; i++) {
		struct connx *c = conn_find(p, set[i].fd);
		uint64_t one = c ? timer_fd_due(c, now) : 0;
		if (one && (!due || one < due))
			due = one;
	}
	return due;
}

static void tell_one(struct model *m, struct proc *p, const struct event *e, const struct wire_pollfd *at, struct wait w)
{
	struct connx *c = conn_use(m, p, at->fd, e);

	if (!c || !(at->events & (POLLIN | POLLPRI | POLLRDNORM | POLLOUT | POLLRDHUP)))
		return;
	if (conn_is_socket(c) && w.limit_ns != 0) {
		w.conn = &c->pub;
		w.op = wait_op_of(c, at->events);
		if (w.outcome == WAIT_TIMED_OUT && c->connecting)
			c->connect_expired = true;
		wait_tell(m, p, e, w);
	}
	if (e->id == WIRE_POLL && (at->revents & (POLLOUT | POLLERR | POLLHUP)))
		connect_ready(m, c, e, false);
}

/* Nothing but pipes and counters, by which the process's own threads wake each other? */
static bool wakes_only(struct proc *p, const struct wire_pollfd *set, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct connx *c = conn_find(p, set[i].fd);

		if (!c || (c->pub.kind != CONN_PIPE && c->pub.kind != CONN_OTHER) || c->set || c->timerfd)
			return false;
	}
	return n > 0;
}

/* A wait for another thread, then: how a Ruby thread sleeps. */
static void tell_sleep(struct model *m, struct proc *p, const struct event *e, enum wait_outcome outcome)
{
	wait_tell(m, p, e, (struct wait){.op = WAIT_SLEEP, .how = WAIT_BY_POLL, .outcome = outcome, .limit_ns = (int64_t)e->a1});
}

/* select with one buffer for two of its sets, as Perl's IO::Socket::IP has it, keeps what the kernel wrote there last. Of a single descriptor the
 * count says it all. */
static void mend_shared(const struct event *e, struct wire_pollfd *set, size_t n)
{
	if (e->ret > 0 && n == 1 && e->a0 == 1 && !set[0].revents)
		set[0].revents = (uint16_t)(set[0].events & ~(unsigned int)POLLPRI);
}

void poll_on_poll(struct model *m, struct proc *p, const struct event *e)
{
	struct wire_pollfd set[SET_MAX];
	size_t n = read_set(e, set);
	int64_t limit = (int64_t)e->a1;

	if (e->a0 == 0 && limit > 0) {
		tell_sleep(m, p, e, e->ret < 0 ? WAIT_INTERRUPTED : WAIT_TIMED_OUT);
		return;
	}
	if (n == 0)
		return;
	mend_shared(e, set, n);
	if (limit > 0 && n == e->a0 && wakes_only(p, set, n))
		tell_sleep(m, p, e, outcome_of(e, &set[0]));
	if (limit != 0)
		remember(p, e->tid, set, n);
	uint64_t due = earliest_timer(p, set, n, e->t0);
	for (size_t i = 0; i < n; i++) {
		tell_one(m, p, e, &set[i],
			 (struct wait){.how = WAIT_BY_POLL,
				       .outcome = outcome_of(e, &set[i]),
				       .limit_ns = limit,
				       .covers = (unsigned int)e->a0,
				       .timer_due_ns = due});
	}
}

/* When this thread asked the peer for something that has not come: a connection, or an answer. 0: it did not. */
static uint64_t asked(const struct connx *c, uint32_t tid)
{
	if (c->pub.role != CONN_CLIENT)
		return 0;
	/* 0: before it was watched, by whomever. */
	if ((c->awaiting || c->requests) && (c->pub.last_out_tid == tid || !c->pub.last_out_tid))
		return c->pub.last_out_ns;
	return c->connecting && (c->connect_tid == tid || !c->connect_tid) ? c->pub.connect_t0 : 0;
}

/* What a thread most likely waits for, if its set was never seen: the answer to what it asked last. */
static int last_asked(const struct proc *p, uint32_t tid)
{
	uint64_t latest = 0;
	int fd = -1;

	for (struct holder *h = fdtable_next(&p->fds, 0); h; h = fdtable_next(&p->fds, h->fd + 1)) {
		uint64_t at = h->weak ? 0 : asked(h->conn, tid);
		if (at > latest) {
			latest = at;
			fd = h->fd;
		}
	}
	return fd;
}

/*
 * A poll that has not returned: it names its descriptor if it has only one; else the thread's last set stands for it as far as that is
 * still open, else what the thread asked last.
 */
void poll_inflight(struct model *m, struct proc *p, const struct event *e)
{
	struct wire_pollfd set[SET_MAX] = {{.fd = e->fd, .events = POLLIN}};
	struct poll_memory *memory = NULL;
	size_t n = e->data_len ? read_set(e, set) : e->fd >= 0;

	if (!e->data_len)
		HASH_FIND(hh, p->polls, &e->tid, sizeof(e->tid), memory);
	if (memory && (e->fd < 0 || (memory->n == 1 && memory->set[0].fd == e->fd))) {
		n = 0;
		for (size_t i = 0; i < memory->n; i++) {
			if (conn_find(p, memory->set[i].fd))
				set[n++] = memory->set[i];
		}
	}
	if (n == 0) {
		set[0] = (struct wire_pollfd){.fd = last_asked(p, e->tid), .events = POLLIN};
		n = set[0].fd >= 0;
	}
	if ((int64_t)e->a1 > 0 && wakes_only(p, set, n))
		tell_sleep(m, p, e, WAIT_PENDING);
	uint64_t due = earliest_timer(p, set, n, e->t0);
	for (size_t i = 0; i < n; i++) {
		set[i].revents = 0;
		tell_one(m, p, e, &set[i],
			 (struct wait){.how = WAIT_BY_POLL,
				       .outcome = WAIT_PENDING,
				       .limit_ns = (int64_t)e->a1,
				       .covers = (unsigned int)n,
				       .timer_due_ns = due});
	}
}
