/*
 * Bytes that moved, ends and errors of reads and writes, and the waits that blocking ones are. The session's thread only.
 */
#include <errno.h>
#include <sys/socket.h>

#include "model/private.h"

static bool dead_err(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ETIMEDOUT || err == ECONNREFUSED || err == ECONNABORTED ||
	       err == EHOSTUNREACH || err == ENETUNREACH || err == ENETDOWN || err == EIO;
}

static void died(struct model *m, struct connx *c, enum direction d, const struct event *e)
{
	if (c->pub.end == CONN_OPEN || c->pub.end == CONN_EOF)
		c->pub.end = CONN_RESET;
	c->awaiting = false;
	TELL(m, conn_data, &c->pub, d, e);
	epoll_update(c);
}

static void moved_in(struct model *m, struct connx *c, uint64_t bytes, const struct event *e)
{
	c->pub.bytes_in += bytes;
	if (!c->pub.first_in_ns)
		c->pub.first_in_ns = e->t1;
	c->pub.last_in_ns = e->t1;
	c->pub.last_in_stack = e->stack;
	c->awaiting = false;
	TELL(m, conn_data, &c->pub, DIR_IN, e);
	epoll_update(c);
}

static void moved_out(struct model *m, struct connx *c, uint64_t bytes, const struct event *e)
{
	c->pub.bytes_out += bytes;
	c->pub.last_out_ns = e->t1;
	c->pub.last_out_stack = e->stack;
	c->pub.last_out_tid = e->tid;
	c->awaiting = true;
	TELL(m, conn_data, &c->pub, DIR_OUT, e);
	epoll_update(c);
}

/* How many bytes a call moved: messages have their sum in a0. */
static uint64_t bytes_of(const struct event *e)
{
	if (e->ret <= 0)
		return 0;
	return e->id == WIRE_RECVMMSG || e->id == WIRE_SENDMMSG ? e->a0 : (uint64_t)e->ret;
}

/* The queue of errors and of times of sending, and urgent bytes, lie beside the stream: recv(2), tcp(7). An empty answer there is no end. */
static bool beside_stream(const struct event *e)
{
	return e->id == WIRE_READ && (e->a1 & (MSG_ERRQUEUE | MSG_OOB)) != 0;
}

void data_on_read(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_use(m, p, e->fd, e);

	if (!c || beside_stream(e))
		return;
	tls_note(m, c, e);
	wait_by_call(m, p, c, WAIT_READ, e);
	connect_by_data(m, c, e);
	/* Bytes that were only looked at come again; an end or an error that was looked at need not (wget reads no further). */
	if ((e->flags & WIRE_F_PEEK) && e->ret > 0)
		return;
	if (e->ret > 0) {
		moved_in(m, c, bytes_of(e), e);
	} else if (e->ret == 0) {
		/* An empty datagram or an empty buffer is not an end. */
		if (e->a0 == 0 || c->pub.kind == CONN_UDP || c->pub.eof_in)
			return;
		c->pub.eof_in = true;
		if (c->pub.end == CONN_OPEN)
			c->pub.end = CONN_EOF;
		c->awaiting = false;
		TELL(m, conn_data, &c->pub, DIR_IN, e);
		epoll_update(c);
	} else if (dead_err(e->err)) {
		died(m, c, DIR_IN, e);
	}
}

void data_on_write(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_use(m, p, e->fd, e);

	if (!c)
		return;
	if (e->flags & WIRE_F_SINK) {
		sink_on_write(m, p, c, e);
		return;
	}
	tls_note(m, c, e);
	wait_by_call(m, p, c, WAIT_WRITE, e);
	connect_by_data(m, c, e);
	if (e->ret > 0)
		moved_out(m, c, bytes_of(e), e);
	else if (e->ret < 0 && dead_err(e->err))
		died(m, c, DIR_OUT, e);
}

/* sendfile and splice: bytes go from one descriptor to another without passing through the program. */
void data_on_move(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *in = e->ret > 0 && e->a1 <= INT32_MAX ? conn_find(p, (int)e->a1) : NULL;

	if (in && conn_is_socket(in)) {
		connect_by_data(m, in, e);
		moved_in(m, in, (uint64_t)e->ret, e);
	}
	struct connx *out = conn_use(m, p, e->fd, e);
	if (!out || !conn_is_socket(out))
		return;
	wait_by_call(m, p, out, WAIT_WRITE, e);
	connect_by_data(m, out, e);
	if (e->ret > 0)
		moved_out(m, out, (uint64_t)e->ret, e);
	else if (e->ret < 0 && dead_err(e->err))
		died(m, out, DIR_OUT, e);
}

void data_on_outstanding(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = conn_find(p, e->fd);

	(void)m;
	if (!c)
		return;
	if (e->a0 == WIRE_OUTSTANDING_FRESH) {
		c->pub.connect_t1 = e->t0;
		return;
	}
	c->pub.set_up = e->a0 == WIRE_OUTSTANDING_SET_UP;
	if (e->a0 != WIRE_OUTSTANDING_BODY)
		c->pub.last_out_ns = e->t0;
	c->awaiting = true;
	epoll_update(c);
}
