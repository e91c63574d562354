/*
 * The life of descriptors: socket, accept, open, pipe, dup, shutdown, close, and what the shim says of inherited ones.
 * The session's thread only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "model/private.h"

static enum conn_kind socket_kind(uint64_t domain_type)
{
	int domain = (int)(domain_type >> 32);
	int type = (int)(domain_type & 0xf);

	if (domain == AF_UNIX)
		return CONN_UNIX;
	if (domain == AF_INET || domain == AF_INET6)
		return type == SOCK_STREAM ? CONN_TCP : type == SOCK_DGRAM ? CONN_UDP : CONN_OTHER;
	return CONN_OTHER;
}

static struct connx *open_fd(struct model *m, struct proc *p, int fd, enum conn_kind kind, bool cloexec, const struct event *e)
{
	struct connx *c = fd < 0 ? NULL : conn_new(m, p, fd, kind, e);

	if (c)
		fdtable_get(&p->fds, fd)->cloexec = cloexec;
	return c;
}

void life_on_socket(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret < 0)
		return;
	struct connx *c = open_fd(m, p, e->fd, socket_kind(e->a0), e->a0 & SOCK_CLOEXEC, e);
	if (!c)
		return;
	c->pub.nonblocking = e->a0 & SOCK_NONBLOCK;
	conn_tell_open(m, c, e);
}

void life_on_socketpair(struct model *m, struct proc *p, const struct event *e)
{
	int fds[2] = {e->fd, (int)e->a1};

	for (int i = 0; e->ret >= 0 && i < 2; i++) {
		struct connx *c = open_fd(m, p, fds[i], socket_kind(e->a0), e->a0 & SOCK_CLOEXEC, e);
		if (!c)
			continue;
		c->pub.nonblocking = e->a0 & SOCK_NONBLOCK;
		conn_tell_open(m, c, e);
	}
}

void life_on_listen(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_use(m, p, e->fd, e);

	if (c)
		c->pub.role = CONN_LISTENER;
}

void life_on_accept(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *listener = conn_use(m, p, e->fd, e);

	if (listener) {
		listener->pub.role = CONN_LISTENER;
		wait_by_call(m, p, listener, WAIT_ACCEPT, e);
	}
	if (e->ret < 0 || e->ret > INT32_MAX)
		return;
	enum conn_kind kind = listener ? listener->pub.kind : CONN_TCP;
	struct connx *c = open_fd(m, p, (int)e->ret, kind, e->a0 & SOCK_CLOEXEC, e);
	if (!c)
		return;
	c->pub.role = CONN_SERVER;
	c->pub.nonblocking = e->a0 & SOCK_NONBLOCK;
	peer_set(m, c, p, e->data, e->data_len);
	conn_tell_open(m, c, e);
}

void life_on_shutdown(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_use(m, p, e->fd, e);

	if (!c)
		return;
	c->shut_in |= e->a0 == SHUT_RD || e->a0 == SHUT_RDWR;
	c->shut_out |= e->a0 == SHUT_WR || e->a0 == SHUT_RDWR;
	if (c->shut_in && c->shut_out && c->pub.role != CONN_LISTENER)
		conn_tell_close(m, c, e);
}

void life_on_close(struct model *m, struct proc *p, const struct event *e)
{
	struct holder *h = fdtable_get(&p->fds, e->fd);

	if (!(e->flags & WIRE_F_RANGE)) {
		/* Linux frees the number whatever close returns, save for one that was not open. Another thread may have been given the number
		 * before close returned: what was asked for since it was called is not what it closes. */
		if (h && (h->conn->pub.inherited || h->conn->opening_ns <= e->t0))
			conn_drop(m, h, e);
		return;
	}
	for (h = fdtable_next(&p->fds, e->fd); e->ret >= 0 && h && (uint64_t)h->fd <= (e->a0 & UINT32_MAX);) {
		int fd = h->fd;
		conn_drop(m, h, e);
		h = fdtable_next(&p->fds, fd + 1);
	}
}

void life_on_dup(struct model *m, struct proc *p, const struct event *e)
{
	struct holder *from = fdtable_get(&p->fds, e->fd);
	struct holder *to = NULL;

	if (e->ret < 0 || e->ret > INT32_MAX || e->ret == e->fd)
		return;
	if (from && from->weak)
		conn_use(m, p, e->fd, e);
	if (from && !from->conn->told_close) {
		to = conn_share(m, from->conn, p, (int)e->ret, e);
	} else {
		struct connx *c = conn_use(m, p, e->fd, e);
		if (c)
			to = conn_share(m, c, p, (int)e->ret, e);
	}
	if (to)
		to->cloexec = e->a0 & O_CLOEXEC;
}

void life_on_open(struct model *m, struct proc *p, const struct event *e)
{
	if (e->ret < 0 || e->ret > INT32_MAX)
		return;
	struct connx *c = open_fd(m, p, (int)e->ret, CONN_FILE, e->a0 & O_CLOEXEC, e);
	if (!c)
		return;
	if (e->data)
		memcpy(c->pub.path, e->data, e->data_len < sizeof(c->pub.path) ? e->data_len : sizeof(c->pub.path) - 1);
	c->pub.is_sink = e->flags & WIRE_F_SINK;
	c->pub.nonblocking = e->a0 & O_NONBLOCK;
	conn_tell_open(m, c, e);
}

void life_on_pipe(struct model *m, struct proc *p, const struct event *e)
{
	int fds[2] = {e->fd, (int)e->a1};

	for (int i = 0; e->ret >= 0 && i < 2; i++) {
		struct connx *c = open_fd(m, p, fds[i], CONN_PIPE, e->a0 & O_CLOEXEC, e);
		if (!c)
			continue;
		c->pub.nonblocking = e->a0 & O_NONBLOCK;
		conn_tell_open(m, c, e);
	}
}

static enum conn_kind inherited_kind(const struct event *e)
{
	const uint64_t domain = e->a1 >> WIRE_DOMAIN_SHIFT, type = e->a1 >> WIRE_TYPE_SHIFT & 0xf;
	sa_family_t family = AF_UNSPEC;

	switch (e->a0) {
	case WIRE_FD_PIPE:
		return CONN_PIPE;
	case WIRE_FD_FILE:
		return CONN_FILE;
	case WIRE_FD_TTY:
		return CONN_TTY;
	case WIRE_FD_SOCKET:
		if (domain)
			return socket_kind(domain << 32 | type);
		if (e->data_len >= sizeof(family))
			memcpy(&family, e->data, sizeof(family));
		return family == AF_UNIX                                                ? CONN_UNIX
		       : family == AF_UNSPEC || family == AF_INET || family == AF_INET6 ? CONN_TCP
											: CONN_OTHER;
	default:
		return CONN_OTHER;
	}
}

static enum conn_role inherited_role(const struct event *e)
{
	static const enum conn_role roles[] = {
		[WIRE_ROLE_UNKNOWN] = CONN_UNKNOWN,
		[WIRE_ROLE_CLIENT] = CONN_CLIENT,
		[WIRE_ROLE_SERVER] = CONN_SERVER,
		[WIRE_ROLE_LISTENER] = CONN_LISTENER,
	};
	const uint64_t role = e->a1 >> WIRE_ROLE_SHIFT & WIRE_ROLE_MASK;

	return role < sizeof(roles) / sizeof(roles[0]) ? roles[role] : CONN_UNKNOWN;
}

/*
 * What an attach found to be open is told in front of all that was seen, but was looked at a little later: meanwhile the number may have gone
 * from one connection to the next. Then the shim, which looked at the moment of a call, names another peer.
 */
static bool other_peer(const struct connx *c, const struct event *e)
{
	const sa_family_t known = c->pub.peer_addr.ss_family;
	struct sockaddr_storage now = {0};
	size_t len;

	if (!c->pub.inherited || !e->data || e->data_len > sizeof(now) || known == AF_UNSPEC)
		return false;
	memcpy(&now, e->data, e->data_len);
	if (known != now.ss_family)
		return true;
	/* Family, port and address; in IPv6 a flow's label, which is no part of it, is 0 both times. */
	len = known == AF_INET ? offsetof(struct sockaddr_in, sin_zero) : offsetof(struct sockaddr_in6, sin6_scope_id);
	return (known == AF_INET || known == AF_INET6) && memcmp(&c->pub.peer_addr, &now, len) != 0;
}

/* What the shim found by looking at a descriptor of unknown origin. It corrects the table where a close or an open escaped us. */
void life_on_fd_kind(struct model *m, struct proc *p, const struct event *e)
{
	enum conn_kind kind = inherited_kind(e);
	struct holder *h = fdtable_get(&p->fds, e->fd);
	struct connx *c = h ? h->conn : NULL;
	bool same = c && (c->pub.kind == kind || c->pub.kind == CONN_OTHER || (conn_is_socket(c) && e->a0 == WIRE_FD_SOCKET));

	if (e->fd < 0)
		return;
	if (same && !c->told_close && !other_peer(c, e)) {
		conn_use(m, p, e->fd, e);
		if (c->pub.kind == CONN_OTHER)
			c->pub.kind = kind;
		c->pub.nonblocking = e->a1 & O_NONBLOCK;
		if (e->data && c->pub.peer[0] == '\0')
			peer_set(m, c, p, e->data, e->data_len);
		return;
	}
	c = open_fd(m, p, e->fd, kind, false, e);
	if (!c)
		return;
	c->pub.inherited = true;
	c->pub.role = inherited_role(e);
	c->pub.rcvtimeo_ns = WAIT_UNKNOWN;
	c->pub.sndtimeo_ns = WAIT_UNKNOWN;
	c->pub.nonblocking = e->a1 & O_NONBLOCK;
	c->pub.is_sink = e->flags & WIRE_F_SINK;
	peer_set(m, c, p, e->data, e->data_len);
	conn_tell_open(m, c, e);
}
