/* Shapes of polls, sleeps, timers and waits for children: see translate_shape.h. */
#include "probes/translate_shape.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define PACKED_EPOLL 12U /* struct epoll_event of the kernel's interface */

static_assert(PROBE_POLL == WIRE_POLL_MAX, "the probes copy what a record can list");
static_assert(PROBE_POLL == WIRE_EPOLL_MAX, "the probes copy what a record can list");

bool shape_polled(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[1];
	w->r->a1 = (uint64_t)w->c->limit;
	if (w->r->ret < 0 && w->r->err != EINTR)
		no_data(w);
	return true;
}

static bool in_set(const uint8_t *set, unsigned int fd)
{
	return set[fd / 8] >> fd % 8 & 1;
}

bool shape_selected(const struct work *w)
{
	struct probe_select s = {0};
	struct wire_pollfd *list = (struct wire_pollfd *)(void *)w->to->made;
	const uint64_t n = w->c->args[0] < PROBE_SET_BYTES * 8 ? w->c->args[0] : PROBE_SET_BYTES * 8;
	uint32_t listed = 0, all = 0;

	if (w->c->data_len >= sizeof(s))
		memcpy(&s, w->data, sizeof(s));
	for (unsigned int fd = 0; fd < n; fd++) {
		struct wire_pollfd p = {.fd = (int32_t)fd};

		for (unsigned int i = 0; i < 3; i++) {
			static const uint16_t bits[] = {0x1, 0x4, 0x2}; /* POLLIN, POLLOUT, POLLPRI */

			p.events |= in_set(s.asked[i], fd) ? bits[i] : 0;
			p.revents |= w->r->ret > 0 && in_set(s.answered[i], fd) ? bits[i] : 0;
		}
		if (p.events && listed < WIRE_POLL_MAX)
			list[listed++] = p;
		all += p.events ? 1 : 0;
	}
	w->r->fd = -1;
	w->r->a0 = all;
	w->r->a1 = (uint64_t)w->c->limit;
	made(w, listed * sizeof(*list));
	return true;
}

bool shape_epoll_made(const struct work *w)
{
	w->r->fd = (int32_t)w->r->ret;
	return true;
}

bool shape_epoll_changed(const struct work *w)
{
	const uint32_t events = (uint32_t)number(w, 0, 4);

	w->r->a0 = pair(w->c->args[1], w->c->args[2]);
	w->r->a1 = w->c->args[1] != EPOLL_CTL_DEL ? number(w, 4, 8) : 0;
	memcpy(w->to->made, &events, sizeof(events));
	made(w, sizeof(events));
	return true;
}

bool shape_epoll_waited(const struct work *w)
{
	struct wire_epoll *list = (struct wire_epoll *)(void *)w->to->made;
	uint32_t n = w->c->data_len / PACKED_EPOLL;

	n = n > WIRE_EPOLL_MAX ? WIRE_EPOLL_MAX : n;
	for (uint32_t i = 0; i < n; i++)
		list[i] = (struct wire_epoll){.events = (uint32_t)number(w, i * PACKED_EPOLL, 4),
					      .data = number(w, i * PACKED_EPOLL + 4, 8)};
	w->r->a1 = (uint64_t)w->c->limit;
	if (w->r->ret > (int64_t)n)
		w->r->flags |= WIRE_F_TRUNCATED;
	made(w, n * sizeof(*list));
	return true;
}

/* From the call on until `at` on a clock. */
static uint64_t until(const struct work *w, bool wall, uint64_t at)
{
	const uint64_t now = w->c->t0 + (wall ? w->wall_ns : 0);

	return at > now ? at - now : 0;
}

bool shape_slept(const struct work *w)
{
	w->r->fd = -1;
	w->r->a1 = (uint64_t)w->c->limit;
	if (w->c->nr == SYS_clock_nanosleep && (w->c->args[1] & TIMER_ABSTIME) && w->c->limit > 0)
		w->r->a1 = until(w, w->c->args[0] == CLOCK_REALTIME, (uint64_t)w->c->limit);
	return true;
}

bool shape_timer_fd_made(const struct work *w)
{
	w->r->fd = (int32_t)w->r->ret;
	w->r->a0 = w->c->args[0] & UINT32_MAX;
	return true;
}

static uint64_t time_at(const struct work *w, size_t at, uint64_t per_part)
{
	return number(w, at, 8) * NS_PER_S + number(w, at + 8, 8) * per_part;
}

/* A time that is decades away from the wall clock's is a monotonic one. */
static uint64_t first_expiry(const struct work *w, uint64_t at)
{
	uint64_t ns;

	if (at == 0 || !(w->c->args[1] & TIMER_ABSTIME))
		return at;
	ns = until(w, at > w->wall_ns / 2, at);
	return ns ? ns : 1; /* already past: it fires at once, and 0 would read as disarmed */
}

bool shape_timer_set(const struct work *w)
{
	const uint64_t id = w->c->args[0];

	if (w->r->ret == 0) {
		w->r->a0 = time_at(w, 0, 1);
		w->r->a1 = first_expiry(w, time_at(w, 16, 1));
	}
	no_data(w);
	if (w->r->event == WIRE_TIMER_SETTIME) {
		w->r->fd = -1;
		memcpy(w->to->made, &id, sizeof(id));
		made(w, sizeof(id));
	}
	return true;
}

bool shape_timer_made(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[0] & UINT32_MAX;
	w->r->a1 = number(w, 0, 4);
	no_data(w);
	return true;
}

bool shape_interval_set(const struct work *w)
{
	w->r->fd = -1;
	if (w->r->ret == 0) {
		w->r->a0 = time_at(w, 0, 1000);
		w->r->a1 = time_at(w, 16, 1000);
	}
	no_data(w);
	return w->c->args[0] == ITIMER_REAL && w->c->args[1] != 0;
}

bool shape_alarm_set(const struct work *w)
{
	w->r->fd = -1;
	w->r->a1 = (w->c->args[0] & UINT32_MAX) * NS_PER_S;
	return true;
}

bool shape_child_waited(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = number(w, 0, 4);
	no_data(w);
	return true;
}

bool shape_action_set(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[0];
	w->r->a1 = number(w, 8, 8) & UINT32_MAX;
	no_data(w);
	return w->c->args[0] == SIGALRM && w->c->data_len == 16;
}
