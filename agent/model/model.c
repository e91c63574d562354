/*
 * The model's front: takes events, hands each to the file that knows it (one table), and keeps the observers.
 * Owned by the session; the session's thread only.
 */
#include "model/model.h"

#include <errno.h>
#include <stdlib.h>

#include "model/private.h"

enum whose {
	ANYBODY, /* the handler finds the process itself, or there is none */
	KNOWN,   /* only if the process is known */
	ACTOR,   /* a process did it: first sight makes it known */
};

static const struct handler {
	void (*handle)(struct model *m, struct proc *p, const struct event *e);
	enum whose whose;
} handlers[] = {
	[WIRE_PROCESS_START] = {process_on_start, KNOWN},
	[WIRE_MODULE] = {process_on_module, KNOWN},
	[WIRE_PROCESS_EXIT] = {process_on_exit, ACTOR},
	[WIRE_FORK] = {process_on_fork, ACTOR},
	[WIRE_FORK_CHILD] = {process_on_fork_child, ANYBODY},
	[WIRE_SPAWN] = {process_on_spawn, ACTOR},
	[WIRE_THREAD_EXIT] = {process_on_thread_exit, KNOWN},
	[WIRE_SIGACTION] = {timer_on_sigaction, ACTOR},
	[WIRE_WAITPID] = {process_on_waitpid, ACTOR},
	[WIRE_SOCKET] = {life_on_socket, ACTOR},
	[WIRE_SOCKETPAIR] = {life_on_socketpair, ACTOR},
	[WIRE_CONNECTING] = {connect_on_connecting, ACTOR},
	[WIRE_CONNECT] = {connect_on_connect, ACTOR},
	[WIRE_LISTEN] = {life_on_listen, ACTOR},
	[WIRE_ACCEPT] = {life_on_accept, ACTOR},
	[WIRE_SHUTDOWN] = {life_on_shutdown, ACTOR},
	[WIRE_CLOSE] = {life_on_close, ACTOR},
	[WIRE_DUP] = {life_on_dup, ACTOR},
	[WIRE_SETFL] = {sockopt_on_setfl, ACTOR},
	[WIRE_SETSOCKOPT] = {sockopt_on_set, ACTOR},
	[WIRE_GETSOCKOPT] = {sockopt_on_get, ACTOR},
	[WIRE_OPEN] = {life_on_open, ACTOR},
	[WIRE_PIPE] = {life_on_pipe, ACTOR},
	[WIRE_FD_KIND] = {life_on_fd_kind, ACTOR},
	[WIRE_READ] = {data_on_read, ACTOR},
	[WIRE_WRITE] = {data_on_write, ACTOR},
	[WIRE_SENDFILE] = {data_on_move, ACTOR},
	[WIRE_SPLICE] = {data_on_move, ACTOR},
	[WIRE_RECVMMSG] = {data_on_read, ACTOR},
	[WIRE_SENDMMSG] = {data_on_write, ACTOR},
	[WIRE_TLS_READ] = {tls_on_data, ACTOR},
	[WIRE_TLS_WRITE] = {tls_on_data, ACTOR},
	[WIRE_TLS_HELLO] = {tls_on_hello, ACTOR},
	[WIRE_TLS_END] = {tls_on_end, KNOWN},
	[WIRE_POLL] = {poll_on_poll, ACTOR},
	[WIRE_EPOLL_CREATE] = {epoll_on_create, ACTOR},
	[WIRE_EPOLL_CTL] = {epoll_on_ctl, ACTOR},
	[WIRE_EPOLL_WAIT] = {epoll_on_wait, ACTOR},
	[WIRE_SLEEP] = {wait_on_sleep, ACTOR},
	[WIRE_COND_WAIT] = {wait_on_cond, ACTOR},
	[WIRE_TIMERFD_CREATE] = {timer_on_timerfd_create, ACTOR},
	[WIRE_TIMERFD_SETTIME] = {timer_on_timerfd_settime, ACTOR},
	[WIRE_ITIMER] = {timer_on_itimer, ACTOR},
	[WIRE_OUTSTANDING] = {data_on_outstanding, KNOWN},
	[WIRE_DEADLINE] = {timer_on_deadline, KNOWN},
	[WIRE_RESOLVE] = {resolve_on_resolve, ACTOR},
	[WIRE_STDIO] = {sink_on_stdio, ACTOR},
	[WIRE_SYSLOG] = {sink_on_syslog, ACTOR},
	[WIRE_JOURNAL] = {sink_on_journal, ACTOR},
	[WIRE_ALLOC] = {heap_on_alloc, ACTOR},
	[WIRE_FREE] = {heap_on_free, KNOWN},
	[WIRE_ALLOC_REST] = {heap_on_rest, KNOWN},
	[WIRE_UNMAP] = {heap_on_unmap, KNOWN},
	[WIRE_INFLIGHT] = {inflight_on_inflight, KNOWN},
	[WIRE_PROCESS_GONE] = {process_on_gone, KNOWN},
	[WIRE_MATCH] = {sink_on_match, ACTOR},
	[WIRE_SLOT] = {sink_on_slot, ACTOR},
};

struct model *model_new(const struct stacks *stacks, struct counters *counters)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->stacks = stacks;
	m->counters = counters;
	requests_start(m);
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	requests_done(m);
	tls_done(m);
	conn_free_all(m);
	process_free_all(m);
	resolve_done(m);
	requests_free(m);
	if (m->shared)
		m->shared_done(m->shared);
	free(m->observers);
	free(m);
}

int model_observe(struct model *m, const struct observer *o, void *ctx)
{
	void (*members[OBSERVER_MEMBERS])(void);
	struct told *grown;

	if (m->n_observers == OBSERVERS_MAX)
		return -ENOSPC;
	grown = realloc(m->observers, (m->n_observers + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	m->observers = grown;
	grown[m->n_observers] = (struct told){.o = *o, .ctx = ctx};
	memcpy(members, o, sizeof(members));
	for (size_t i = 0; i < OBSERVER_MEMBERS; i++) {
		struct listeners *l = &m->listeners[i];

		if (members[i])
			l->who[l->n++] = (uint8_t)m->n_observers;
	}
	if (o->event || o->rare_event)
		m->everything.who[m->everything.n++] = (uint8_t)m->n_observers;
	m->n_observers++;
	return 0;
}

/* What a service does all the time: most observers want none of it, and being called costs more than finding that out. */
static bool is_common(uint16_t id)
{
	return id == WIRE_READ || id == WIRE_WRITE || id == WIRE_POLL || id == WIRE_EPOLL_WAIT || id == WIRE_ALLOC ||
	       id == WIRE_FREE;
}

static void tell_event(struct model *m, const struct event *e)
{
	if (is_common(e->id)) {
		TELL(m, event, e);
		return;
	}
	for (size_t i = 0; i < m->everything.n; i++) {
		const struct told *t = &m->observers[m->everything.who[i]];

		(t->o.event ? t->o.event : t->o.rare_event)(t->ctx, e);
	}
}

void model_event(struct model *m, const struct event *e)
{
	const struct handler *h = e->id < sizeof(handlers) / sizeof(handlers[0]) ? &handlers[e->id] : NULL;
	struct proc *p = NULL;

	if (e->t1 > m->now)
		m->now = e->t1;
	tell_event(m, e);
	if (e->id == WIRE_TICK)
		TELL(m, tick, e->t1);
	/* A vfork child acts on copies of the parent's descriptors that nobody sees: not on the parent's own. */
	if (!h || !h->handle || (e->flags & WIRE_F_VFORK_CHILD))
		return;
	if (h->whose == ACTOR)
		p = process_make(m, e->pid, e);
	else if (h->whose == KNOWN)
		p = process_find(m, e->pid);
	if (p || h->whose == ANYBODY || e->id == WIRE_PROCESS_START)
		h->handle(m, p, e);
}

void model_finish(struct model *m, uint64_t now_ns)
{
	if (m->finished)
		return;
	if (now_ns > m->now)
		m->now = now_ns;
	process_finish_exiting(m);
	requests_finish(m, m->now);
	m->finished = true;
	TELL(m, tick, m->now);
}

struct process *model_process(struct model *m, uint32_t pid)
{
	struct proc *p = process_find(m, pid);

	return p ? &p->pub : NULL;
}

struct conn *model_conn(struct model *m, uint32_t pid, int fd)
{
	struct proc *p = process_find(m, pid);
	struct connx *c = p ? conn_find(p, fd) : NULL;

	return c ? &c->pub : NULL;
}

struct counters *model_counters(struct model *m)
{
	return m->counters;
}

void *model_shared(struct model *m, void *(*make)(void), void (*done)(void *shared))
{
	if (!m->shared && (m->shared = make()))
		m->shared_done = done;
	return m->shared_done == done ? m->shared : NULL;
}

uint64_t model_now(const struct model *m)
{
	return m->now;
}

void model_on_policy(struct model *m, model_policy_fn fn, void *ctx)
{
	m->policy = fn;
	m->policy_ctx = ctx;
}

void model_set_policy(struct model *m, const struct conn *c, uint8_t policy)
{
	const struct connx *x = (const struct connx *)c;

	for (const struct holder *h = m->policy ? x->holders : NULL; h; h = h->next)
		m->policy(m->policy_ctx, h->proc->pub.pid, h->fd, policy, model_now(m));
}
