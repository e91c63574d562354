/*
 * Open file descriptions: made at first sight, shared by descriptors, told to observers when they open and when their last strong
 * descriptor is gone. Owned by the model, linked in order of appearance; the session's thread only.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/private.h"

bool conn_is_socket(const struct connx *c)
{
	return c->pub.kind == CONN_TCP || c->pub.kind == CONN_UDP || c->pub.kind == CONN_UNIX;
}

static void link_conn(struct model *m, struct connx *c)
{
	c->next = NULL;
	c->prev = m->conns ? m->conns->prev : c;
	if (m->conns) {
		m->conns->prev->next = c;
		m->conns->prev = c;
	} else {
		m->conns = c;
	}
	m->n_conns++;
}

static void unlink_conn(struct model *m, struct connx *c)
{
	if (m->conns == c) {
		m->conns = c->next;
		if (c->next)
			c->next->prev = c->prev;
	} else {
		c->prev->next = c->next;
		if (c->next)
			c->next->prev = c->prev;
		else
			m->conns->prev = c->prev;
	}
	m->n_conns--;
}

static void conn_free(struct model *m, struct connx *c)
{
	while (c->holders)
		fdtable_release(&c->holders->proc->fds, c->holders);
	epoll_forget(c);
	tls_forget(c);
	unlink_conn(m, c);
	free(c);
}

void conn_tell_open(struct model *m, struct connx *c, const struct event *e)
{
	if (c->told_open)
		return;
	c->told_open = true;
	TELL(m, conn_open, &c->pub, e);
}

void conn_tell_close(struct model *m, struct connx *c, const struct event *e)
{
	if (c->told_close)
		return;
	/* Without an event nobody closed it: the session is over. */
	if (c->connecting && e)
		connect_abandon(m, c, e);
	if (c->pub.end == CONN_OPEN && e)
		c->pub.end = CONN_CLOSED_BY_US;
	c->told_close = true;
	TELL(m, conn_close, &c->pub, e);
	epoll_update(c);
}

void conn_rename(struct connx *c, const struct holder *leaving)
{
	if (c->pub.process != &leaving->proc->pub || c->pub.fd != leaving->fd)
		return;
	for (const struct holder *h = c->holders; h; h = h->next) {
		if (h != leaving && !h->weak) {
			c->pub.process = &h->proc->pub;
			c->pub.fd = h->fd;
			return;
		}
	}
}

void conn_drop(struct model *m, struct holder *h, const struct event *e)
{
	struct connx *c = h->conn;

	if (h->weak) {
		fdtable_release(&h->proc->fds, h);
		return;
	}
	if (--c->pub.refs == 0) {
		conn_tell_close(m, c, e);
		conn_free(m, c);
		return;
	}
	conn_rename(c, h);
	fdtable_release(&h->proc->fds, h);
}

struct holder *conn_share(struct model *m, struct connx *c, struct proc *p, int fd, const struct event *e)
{
	struct holder *h = fdtable_slot(&p->fds, fd);

	if (!h) {
		m->counters->limit[LIMIT_REACHED_FDS]++;
		return NULL;
	}
	if (h->conn == c) {
		return h;
	}
	/* Its close was not seen: the number could not have been given out again otherwise. */
	if (h->conn)
		conn_drop(m, h, e);
	fdtable_hold(h, p, fd, c);
	c->pub.refs++;
	return h;
}

struct connx *conn_new(struct model *m, struct proc *p, int fd, enum conn_kind kind, const struct event *e)
{
	struct holder *h = fdtable_get(&p->fds, fd);

	if (h)
		conn_drop(m, h, e);
	if (m->n_conns >= LIMIT_CONNECTIONS) {
		m->counters->limit[LIMIT_REACHED_CONNECTIONS]++;
		return NULL;
	}
	struct connx *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->pub.process = &p->pub;
	c->pub.fd = fd;
	c->pub.kind = kind;
	c->opening_ns = e->t0;
	c->pub.opened_ns = e->t1;
	c->pub.open_stack = e->stack;
	c->pub.open_tid = e->tid;
	if (!conn_share(m, c, p, fd, e)) {
		free(c);
		return NULL;
	}
	c->pub.id = ++m->next_conn;
	link_conn(m, c);
	return c;
}

struct connx *conn_find(struct proc *p, int fd)
{
	struct holder *h = fdtable_get(&p->fds, fd);

	return h && !h->conn->told_close ? h->conn : NULL;
}

/* A call that only sockets answer. */
static bool is_of_sockets(const struct event *e)
{
	return (e->flags & WIRE_F_SOCKET_CALL) || e->id == WIRE_CONNECT || e->id == WIRE_LISTEN || e->id == WIRE_ACCEPT;
}

static struct connx *inherit(struct model *m, struct proc *p, int fd, const struct event *e)
{
	struct connx *c = conn_new(m, p, fd, is_of_sockets(e) ? CONN_TCP : CONN_OTHER, e);

	if (!c)
		return NULL;
	c->pub.inherited = true;
	c->pub.rcvtimeo_ns = WAIT_UNKNOWN;
	c->pub.sndtimeo_ns = WAIT_UNKNOWN;
	c->pub.is_sink = e->flags & WIRE_F_SINK;
	conn_tell_open(m, c, e);
	return c;
}

struct connx *conn_use(struct model *m, struct proc *p, int fd, const struct event *e)
{
	struct holder *h = fdtable_get(&p->fds, fd);

	if (fd < 0)
		return NULL;
	if (e->err == EBADF || e->err == ENOTSOCK) {
		/* A close escaped us; the table follows the kernel. */
		if (h && e->err == EBADF && e->fd == fd)
			conn_drop(m, h, e);
		return NULL;
	}
	if (h && (e->flags & WIRE_F_SOCKET_CALL) && (h->conn->pub.kind == CONN_FILE || h->conn->pub.kind == CONN_TTY)) {
		conn_drop(m, h, e);
		h = NULL;
	}
	if (!h)
		return inherit(m, p, fd, e);
	if (h->weak) {
		h->weak = false;
		h->conn->pub.refs++;
	}
	if (is_of_sockets(e) && h->conn->pub.inherited && h->conn->pub.kind == CONN_OTHER)
		h->conn->pub.kind = CONN_TCP;
	return h->conn->told_close ? NULL : h->conn;
}

void conn_free_all(struct model *m)
{
	while (m->conns) {
		conn_tell_close(m, m->conns, NULL);
		conn_free(m, m->conns);
	}
}
