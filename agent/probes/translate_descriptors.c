/* Shapes of sockets, options and descriptors of other kinds: see translate_shape.h. */
#include "probes/translate_shape.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

bool shape_socket_made(const struct work *w)
{
	w->r->fd = (int32_t)w->r->ret;
	w->r->a0 = pair(w->c->args[0], w->c->args[1]);
	w->r->a1 = (uint64_t)(int64_t)(int32_t)w->c->args[2];
	if (w->c->args[1] & SOCK_NONBLOCK)
		w->r->flags |= WIRE_F_NONBLOCK;
	return true;
}

bool shape_socket_pair(const struct work *w)
{
	w->r->fd = w->c->data_len ? (int32_t)number(w, 0, 4) : -1;
	w->r->a0 = pair(w->c->args[0], w->c->args[1]);
	w->r->a1 = w->c->data_len ? number(w, 4, 4) : (uint64_t)-1;
	no_data(w);
	return true;
}

bool shape_pipe_made(const struct work *w)
{
	w->r->fd = w->c->data_len ? (int32_t)number(w, 0, 4) : -1;
	w->r->a0 = w->c->nr == SYS_pipe2 ? w->c->args[1] : 0;
	w->r->a1 = w->c->data_len ? number(w, 4, 4) : (uint64_t)-1;
	no_data(w);
	return true;
}

bool shape_connected(const struct work *w)
{
	if (w->r->err == EINPROGRESS) {
		w->r->a1 = 1;
		w->r->flags |= WIRE_F_NONBLOCK;
	}
	return true;
}

bool shape_accepted(const struct work *w)
{
	w->r->a0 = w->c->nr == SYS_accept4 ? w->c->args[3] & UINT32_MAX : 0;
	return true;
}

bool shape_arg1_in_a0(const struct work *w)
{
	w->r->a0 = (uint64_t)(int64_t)(int32_t)w->c->args[1];
	return true;
}

bool shape_closed_range(const struct work *w)
{
	w->r->a0 = w->c->args[1] & UINT32_MAX;
	w->r->flags |= WIRE_F_RANGE;
	return true;
}

bool shape_duplicated(const struct work *w)
{
	w->r->a0 = w->c->nr == SYS_dup3 ? w->c->args[2] & UINT32_MAX : 0;
	return true;
}

bool shape_fcntl_made(const struct work *w)
{
	const int what = (int)w->c->args[1];

	if (what == F_SETFL) {
		w->r->a0 = w->c->args[2] & UINT32_MAX;
		return true;
	}
	w->r->event = WIRE_DUP;
	w->r->a0 = what == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0;
	return what == F_DUPFD || what == F_DUPFD_CLOEXEC;
}

bool shape_ioctl_made(const struct work *w)
{
	w->r->a0 = number(w, 0, 4) ? O_NONBLOCK : 0;
	no_data(w);
	return (uint32_t)w->c->args[1] == FIONBIO;
}

static uint64_t option_value(const struct work *w)
{
	const bool is_time = w->c->args[1] == SOL_SOCKET && (w->c->args[2] == SO_RCVTIMEO || w->c->args[2] == SO_SNDTIMEO);

	if (is_time && w->c->data_len >= sizeof(struct timeval))
		return number(w, 0, 8) * NS_PER_S + number(w, 8, 8) * 1000U;
	return w->c->data_len >= 4 ? (uint64_t)(int64_t)(int32_t)number(w, 0, 4) : number(w, 0, 1);
}

bool shape_option_set(const struct work *w)
{
	w->r->a0 = pair(w->c->args[1], w->c->args[2]);
	w->r->a1 = w->r->ret == 0 ? option_value(w) : 0;
	no_data(w);
	return true;
}

bool shape_option_read(const struct work *w)
{
	return shape_option_set(w) && w->c->args[1] == SOL_SOCKET && w->c->args[2] == SO_ERROR;
}

bool shape_opened(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[2] & UINT32_MAX;
	return true;
}
