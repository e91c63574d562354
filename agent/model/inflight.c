/*
 * Calls that have not returned: told as pending waits of what they wait for, once a tick. The session's thread only.
 */
#include "model/private.h"

static const struct {
	uint16_t id;
	enum wait_op op;
} by_call[] = {
	{WIRE_READ, WAIT_READ},      {WIRE_RECVMMSG, WAIT_READ}, {WIRE_WRITE, WAIT_WRITE},     {WIRE_SENDMMSG, WAIT_WRITE},
	{WIRE_SENDFILE, WAIT_WRITE}, {WIRE_SPLICE, WAIT_WRITE},  {WIRE_CONNECT, WAIT_CONNECT}, {WIRE_ACCEPT, WAIT_ACCEPT},
};

static void pending_call(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_use(m, p, e->fd, e);

	if (!c || !conn_is_socket(c) || c->pub.nonblocking)
		return;
	for (size_t i = 0; i < sizeof(by_call) / sizeof(by_call[0]); i++) {
		if (by_call[i].id != e->a0)
			continue;
		int64_t limit = (int64_t)e->a1 >= 0 ? (int64_t)e->a1 : wait_option_limit(c, by_call[i].op);
		wait_tell(m, p, e,
			  (struct wait){.conn = &c->pub,
					.op = by_call[i].op,
					.how = WAIT_BY_CALL,
					.outcome = WAIT_PENDING,
					.limit_ns = limit,
					.covers = 1});
	}
}

void inflight_on_inflight(struct model *m, struct proc *p, const struct event *e)
{
	switch (e->a0) {
	case WIRE_POLL:
		poll_inflight(m, p, e);
		break;
	case WIRE_EPOLL_WAIT:
		epoll_inflight(m, p, e);
		break;
	case WIRE_RESOLVE:
		wait_tell(m, p, e,
			  (struct wait){.op = WAIT_RESOLVE,
					.how = WAIT_BY_CALL,
					.outcome = WAIT_PENDING,
					.limit_ns = WAIT_UNKNOWN,
					.covers = 1});
		break;
	case WIRE_COND_WAIT:
		if ((int64_t)e->a1 > 0)
			wait_tell(m, p, e,
				  (struct wait){.op = WAIT_SLEEP,
						.how = WAIT_BY_COND,
						.outcome = WAIT_PENDING,
						.before = e->flags & WIRE_F_BEFORE,
						.dated = e->flags & WIRE_F_DATED,
						.limit_ns = (int64_t)e->a1});
		break;
	case WIRE_SLEEP:
		wait_tell(m, p, e,
			  (struct wait){.op = WAIT_SLEEP,
					.how = WAIT_BY_SLEEP,
					.outcome = WAIT_PENDING,
					.before = e->flags & WIRE_F_BEFORE,
					.dated = e->flags & WIRE_F_DATED,
					.limit_ns = (int64_t)e->a1});
		break;
	default:
		pending_call(m, p, e);
		break;
	}
}
