/*
 * Waits for descriptors: poll, select, epoll. Any thread of the watched process.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "preload/call.h"
#include "preload/limit.h"

static_assert(sizeof(struct pollfd) == sizeof(struct wire_pollfd), "poll's own layout is that of the record");

static void wait_begin(struct call *c, int64_t limit_ns)
{
	c->a1 = (uint64_t)limit_ns;
	if (limit_ns)
		call_waits(c, limit_ns);
	call_begin(c);
}

static void poll_say(struct call *c, const struct pollfd *fds, nfds_t n)
{
	const uint32_t listed = n > WIRE_POLL_MAX ? WIRE_POLL_MAX : (uint32_t)n;
	const bool readable = c->ret >= 0 || c->err == EINTR;

	c->a0 = n;
	emit(c, fds, readable ? listed * (uint32_t)sizeof(*fds) : 0, readable ? (uint32_t)n * (uint32_t)sizeof(*fds) : 0);
}

#define POLL(limit, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_POLL, -1)) \
			return real; \
		if (n == 1 && limit_address(fds)) \
			c.fd = fds[0].fd; /* for the slot in flight; the record lists the whole set */ \
		wait_begin(&c, limit); \
		r = real; \
		call_end(&c, r, r < 0); \
		c.fd = -1; \
		poll_say(&c, fds, n); \
		return r; \
	} while (0)

HOOK_FAST(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
{
	POLL(limit_ms(ms), REAL(poll)(fds, n, ms));
}
HOOK_ALIAS(__poll, poll);

HOOK_FAST(int, __poll_chk, (struct pollfd * fds, nfds_t n, int ms, size_t room), (fds, n, ms, room))
{
	POLL(limit_ms(ms), REAL(__poll_chk)(fds, n, ms, room));
}

HOOK_FAST(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *limit, const sigset_t *mask), (fds, n, limit, mask))
{
	POLL(limit_timespec(limit), REAL(ppoll)(fds, n, limit, mask));
}

HOOK_FN(int, __ppoll_chk, struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask, size_t room)
{
	POLL(limit_timespec(limit), REAL(__ppoll_chk)(fds, n, limit, mask, room));
}

/* select's sets as a list like poll's: the asked ones are noted before the call, which overwrites them. */
struct select_list {
	struct wire_pollfd fds[WIRE_POLL_MAX];
	uint32_t listed;
	uint32_t all;
};

static bool in_set(const fd_set *set, int fd)
{
	return limit_address(set) && (set->fds_bits[fd / NFDBITS] & (long)(1UL << (fd % NFDBITS)));
}

static void select_note(struct select_list *l, int n, const fd_set *in, const fd_set *out, const fd_set *other)
{
	l->listed = 0;
	l->all = 0;
	for (int fd = 0; fd < n; fd++) {
		const int events =
			(in_set(in, fd) ? POLLIN : 0) | (in_set(out, fd) ? POLLOUT : 0) | (in_set(other, fd) ? POLLPRI : 0);

		if (!events)
			continue;
		if (l->listed < WIRE_POLL_MAX)
			l->fds[l->listed++] = (struct wire_pollfd){.fd = fd, .events = (uint16_t)events};
		l->all++;
	}
}

static void select_say(struct call *c, struct select_list *l, const fd_set *in, const fd_set *out, const fd_set *other)
{
	const uint32_t size = sizeof(l->fds[0]);

	for (uint32_t i = 0; c->ret > 0 && i < l->listed; i++) {
		struct wire_pollfd *p = &l->fds[i];

		p->revents = (uint16_t)((in_set(in, p->fd) ? POLLIN : 0) | (in_set(out, p->fd) ? POLLOUT : 0) |
					(in_set(other, p->fd) ? POLLPRI : 0));
	}
	c->a0 = l->all;
	emit(c, l->fds, l->listed * size, l->all * size);
}

#define SELECT(limit, real) \
	do { \
		struct select_list list; \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_POLL, -1)) \
			return real; \
		select_note(&list, n, in, out, other); \
		if (list.all == 1) \
			c.fd = list.fds[0].fd; \
		wait_begin(&c, limit); \
		r = real; \
		call_end(&c, r, r < 0); \
		c.fd = -1; \
		select_say(&c, &list, in, out, other); \
		return r; \
	} while (0)

HOOK_FN(int, select, int n, fd_set *in, fd_set *out, fd_set *other, struct timeval *limit)
{
	SELECT(limit_timeval(limit), REAL(select)(n, in, out, other, limit));
}
HOOK_ALIAS(__select, select);

HOOK_FN(int, pselect, int n, fd_set *in, fd_set *out, fd_set *other, const struct timespec *limit, const sigset_t *mask)
{
	SELECT(limit_timespec(limit), REAL(pselect)(n, in, out, other, limit, mask));
}

static void epoll_made(struct call *c, int r)
{
	c->fd = r;
	if (r >= 0)
		fd_set_policy(r, WIRE_POLICY_NONE);
	emit(c, NULL, 0, 0);
}

HOOK_FN(int, epoll_create, int size)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_EPOLL_CREATE, -1))
		return REAL(epoll_create)(size);
	call_begin(&c);
	r = REAL(epoll_create)(size);
	call_end(&c, r, r < 0);
	epoll_made(&c, r);
	return r;
}

HOOK_FN(int, epoll_create1, int flags)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_EPOLL_CREATE, -1))
		return REAL(epoll_create1)(flags);
	call_begin(&c);
	r = REAL(epoll_create1)(flags);
	call_end(&c, r, r < 0);
	epoll_made(&c, r);
	return r;
}

HOOK_FN(int, epoll_ctl, int set, int op, int fd, struct epoll_event *event)
{
	struct call c;
	uint32_t events = 0;
	int r;

	if (!call_enter(&c, WIRE_EPOLL_CTL, set))
		return REAL(epoll_ctl)(set, op, fd, event);
	call_begin(&c);
	r = REAL(epoll_ctl)(set, op, fd, event);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(uint32_t)op << 32 | (uint32_t)fd;
	if (op != EPOLL_CTL_DEL && event && c.err != EFAULT) {
		c.a1 = event->data.u64;
		events = event->events;
	}
	emit(&c, &events, sizeof(events), 0);
	return r;
}

static void epoll_say(struct call *c, const struct epoll_event *events)
{
	struct wire_epoll list[WIRE_EPOLL_MAX];
	const uint32_t ready = c->ret > 0 ? (uint32_t)c->ret : 0;
	const uint32_t listed = ready > WIRE_EPOLL_MAX ? WIRE_EPOLL_MAX : ready;

	for (uint32_t i = 0; i < listed; i++)
		list[i] = (struct wire_epoll){.data = events[i].data.u64, .events = events[i].events};
	emit(c, list, listed * (uint32_t)sizeof(list[0]), ready * (uint32_t)sizeof(list[0]));
}

#define EPOLL(limit, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_EPOLL_WAIT, set)) \
			return real; \
		wait_begin(&c, limit); \
		r = real; \
		call_end(&c, r, r < 0); \
		epoll_say(&c, events); \
		return r; \
	} while (0)

HOOK_FAST(int, epoll_wait, (int set, struct epoll_event *events, int most, int ms), (set, events, most, ms))
{
	EPOLL(limit_ms(ms), REAL(epoll_wait)(set, events, most, ms));
}

HOOK_FAST(int, epoll_pwait, (int set, struct epoll_event *events, int most, int ms, const sigset_t *mask),
	  (set, events, most, ms, mask))
{
	EPOLL(limit_ms(ms), REAL(epoll_pwait)(set, events, most, ms, mask));
}

HOOK_FN(int, epoll_pwait2, int set, struct epoll_event *events, int most, const struct timespec *limit, const sigset_t *mask)
{
	EPOLL(limit_timespec(limit), REAL(epoll_pwait2)(set, events, most, limit, mask));
}
