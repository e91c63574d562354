/*
 * Options that bound or change waits: SO_RCVTIMEO, SO_SNDTIMEO, TCP_USER_TIMEOUT, TCP_SYNCNT, SO_KEEPALIVE, O_NONBLOCK; and SO_ERROR,
 * which proves how a non-blocking connect ended. The session's thread only.
 */
#include <fcntl.h>
#include <netinet/tcp.h>

#include "model/private.h"

/* Both names that 64-bit Linux has for the timeouts (asm-generic/socket.h): the 2038-safe ones are used by newer libcs. */
enum { RCVTIMEO_OLD = 20, SNDTIMEO_OLD = 21, RCVTIMEO_NEW = 66, SNDTIMEO_NEW = 67 };

static int64_t duration(uint64_t ns)
{
	return ns > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static void set_socket(struct conn *c, int name, uint64_t value)
{
	switch (name) {
	case RCVTIMEO_OLD:
	case RCVTIMEO_NEW:
		c->rcvtimeo_ns = duration(value);
		break;
	case SNDTIMEO_OLD:
	case SNDTIMEO_NEW:
		c->sndtimeo_ns = duration(value);
		break;
	case SO_KEEPALIVE:
		c->keepalive = value != 0;
		break;
	default:
		break;
	}
}

static void set_tcp(struct conn *c, int name, uint64_t value)
{
	if (name == TCP_USER_TIMEOUT)
		c->user_timeout_ns = (int64_t)(value & UINT32_MAX) * 1000000; /* given in ms */
	else if (name == TCP_SYNCNT)
		c->syncnt = (int)(value & 0xff);
}

void sockopt_on_set(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_use(m, p, e->fd, e);
	int name = (int)(e->a0 & UINT32_MAX);

	if (!c)
		return;
	if (e->a0 >> 32 == SOL_SOCKET)
		set_socket(&c->pub, name, e->a1);
	else if (e->a0 >> 32 == IPPROTO_TCP)
		set_tcp(&c->pub, name, e->a1);
}

void sockopt_on_get(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_find(p, e->fd);

	if (!c || e->a0 != ((uint64_t)SOL_SOCKET << 32 | SO_ERROR))
		return;
	/* 0 says success only where something showed that the attempt ended: it is 0 while under way, too. */
	if (e->a1 != 0)
		connect_end(m, c, e, (int)(e->a1 & 0xffff));
	else if (c->ready_ns)
		connect_end(m, c, e, 0);
}

void sockopt_on_setfl(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->ret < 0 ? NULL : conn_use(m, p, e->fd, e);

	if (c)
		c->pub.nonblocking = e->a0 & O_NONBLOCK;
}
