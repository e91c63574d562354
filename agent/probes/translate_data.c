/* Shapes of reads and writes of all kinds: see translate_shape.h. */
#include "probes/translate_shape.h"

#include <sys/socket.h>

static void data_flags(const struct work *w, uint64_t msg_flags)
{
	w->r->a1 = msg_flags & UINT32_MAX;
	w->r->flags |= (uint16_t)((msg_flags & MSG_PEEK ? WIRE_F_PEEK : 0) | (msg_flags & MSG_DONTWAIT ? WIRE_F_NONBLOCK : 0) |
				  (w->c->policy == WIRE_POLICY_SINK ? WIRE_F_SINK : 0));
	/* TCP threw the bytes away (tcp(7)): what the buffer holds is older. */
	if (msg_flags & MSG_TRUNC)
		w->r->data_len = 0;
}

bool shape_transfer(const struct work *w)
{
	w->r->a0 = w->c->args[2];
	data_flags(w, 0);
	return true;
}

bool shape_positioned(const struct work *w)
{
	w->r->flags |= WIRE_F_POSITIONED;
	return shape_transfer(w);
}

bool shape_socket_transfer(const struct work *w)
{
	w->r->a0 = w->c->args[2];
	w->r->flags |= WIRE_F_SOCKET_CALL;
	data_flags(w, w->c->args[3]);
	return true;
}

/* How much was offered or asked for in all pieces is not copied: what went through is. */
bool shape_vector(const struct work *w)
{
	w->r->a0 = w->r->ret > 0 ? (uint64_t)w->r->ret : 0;
	w->r->flags |= WIRE_F_VECTOR;
	data_flags(w, 0);
	return true;
}

bool shape_positioned_vector(const struct work *w)
{
	w->r->flags |= WIRE_F_POSITIONED;
	return shape_vector(w);
}

bool shape_message(const struct work *w)
{
	w->r->flags |= WIRE_F_SOCKET_CALL;
	shape_vector(w);
	data_flags(w, w->c->args[2]);
	return true;
}

bool shape_messages(const struct work *w)
{
	w->r->flags |= WIRE_F_SOCKET_CALL | WIRE_F_VECTOR;
	data_flags(w, w->c->args[3]);
	w->r->a0 = w->r->ret > 0 ? w->c->args[5] : 0;
	if (w->r->event == WIRE_RECVMMSG)
		w->r->a1 = (uint64_t)w->c->limit;
	return true;
}

bool shape_file_sent(const struct work *w)
{
	w->r->a0 = w->c->args[3];
	w->r->a1 = w->c->args[1] & UINT32_MAX;
	return true;
}

bool shape_spliced(const struct work *w)
{
	w->r->fd = (int32_t)w->c->args[2];
	w->r->a0 = w->c->args[4];
	w->r->a1 = w->c->args[0] & UINT32_MAX;
	return true;
}
