/*
 * The table of system calls, and for each shape of call a function that fills the record as wire/events.def has it. See translate.h.
 */
#include "probes/translate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define NS_PER_S 1000000000ULL
#define DATA (RULE_WATCH | RULE_DATA | RULE_WAITS)
#define INPUT (DATA | RULE_READS)
#define WAIT (RULE_WATCH | RULE_WAITS)
#define PACKED_EPOLL 12U /* struct epoll_event of the kernel's interface */

struct work {
	const struct probe_call *c;
	const uint8_t *data;
	uint64_t wall_ns;
	struct translated *to;
	struct wire_record *r;
};

typedef bool (*shape_fn)(const struct work *w);

static uint64_t pair(uint64_t high, uint64_t low)
{
	return (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
}

/* The first `len` bytes are made anew. */
static void made(const struct work *w, size_t len)
{
	w->to->data = w->to->made;
	w->r->data_len = (uint32_t)len;
}

static void no_data(const struct work *w)
{
	made(w, 0);
}

/* A number of `size` bytes among the copied ones; 0 if it was not copied. */
static uint64_t number(const struct work *w, size_t at, size_t size)
{
	uint64_t n = 0;

	if (at + size <= w->c->data_len)
		memcpy(&n, w->data + at, size);
	return n;
}

static bool plain(const struct work *w)
{
	(void)w;
	return true;
}

/* -- sockets and descriptors -- */

static bool socket_made(const struct work *w)
{
	w->r->fd = (int32_t)w->r->ret;
	w->r->a0 = pair(w->c->args[0], w->c->args[1]);
	w->r->a1 = (uint64_t)(int64_t)(int32_t)w->c->args[2];
	if (w->c->args[1] & SOCK_NONBLOCK)
		w->r->flags |= WIRE_F_NONBLOCK;
	return true;
}

static bool socket_pair(const struct work *w)
{
	w->r->fd = w->c->data_len ? (int32_t)number(w, 0, 4) : -1;
	w->r->a0 = pair(w->c->args[0], w->c->args[1]);
	w->r->a1 = w->c->data_len ? number(w, 4, 4) : (uint64_t)-1;
	no_data(w);
	return true;
}

static bool pipe_made(const struct work *w)
{
	w->r->fd = w->c->data_len ? (int32_t)number(w, 0, 4) : -1;
	w->r->a0 = w->c->nr == SYS_pipe2 ? w->c->args[1] : 0;
	w->r->a1 = w->c->data_len ? number(w, 4, 4) : (uint64_t)-1;
	no_data(w);
	return true;
}

static bool connected(const struct work *w)
{
	if (w->r->err == EINPROGRESS) {
		w->r->a1 = 1;
		w->r->flags |= WIRE_F_NONBLOCK;
	}
	return true;
}

static bool accepted(const struct work *w)
{
	w->r->a0 = w->c->nr == SYS_accept4 ? w->c->args[3] & UINT32_MAX : 0;
	return true;
}

static bool arg1_in_a0(const struct work *w)
{
	w->r->a0 = (uint64_t)(int64_t)(int32_t)w->c->args[1];
	return true;
}

static bool closed_range(const struct work *w)
{
	w->r->a0 = w->c->args[1] & UINT32_MAX;
	w->r->flags |= WIRE_F_RANGE;
	return true;
}

static bool duplicated(const struct work *w)
{
	w->r->a0 = w->c->nr == SYS_dup3 ? w->c->args[2] & UINT32_MAX : 0;
	return true;
}

static bool fcntl_made(const struct work *w)
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

static bool ioctl_made(const struct work *w)
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

static bool option_set(const struct work *w)
{
	w->r->a0 = pair(w->c->args[1], w->c->args[2]);
	w->r->a1 = w->r->ret == 0 ? option_value(w) : 0;
	no_data(w);
	return true;
}

static bool option_read(const struct work *w)
{
	return option_set(w) && w->c->args[1] == SOL_SOCKET && w->c->args[2] == SO_ERROR;
}

static bool opened(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[2] & UINT32_MAX;
	return true;
}

/* -- data -- */

static void data_flags(const struct work *w, uint64_t msg_flags)
{
	w->r->a1 = msg_flags & UINT32_MAX;
	w->r->flags |= (uint16_t)((msg_flags & MSG_PEEK ? WIRE_F_PEEK : 0) | (msg_flags & MSG_DONTWAIT ? WIRE_F_NONBLOCK : 0) |
				  (w->c->policy == WIRE_POLICY_SINK ? WIRE_F_SINK : 0));
}

static bool transfer(const struct work *w)
{
	w->r->a0 = w->c->args[2];
	data_flags(w, 0);
	return true;
}

static bool positioned(const struct work *w)
{
	w->r->flags |= WIRE_F_POSITIONED;
	return transfer(w);
}

static bool socket_transfer(const struct work *w)
{
	w->r->a0 = w->c->args[2];
	w->r->flags |= WIRE_F_SOCKET_CALL;
	data_flags(w, w->c->args[3]);
	return true;
}

/* How much was offered or asked for in all pieces is not copied: what went through is. */
static bool vector(const struct work *w)
{
	w->r->a0 = w->r->ret > 0 ? (uint64_t)w->r->ret : 0;
	w->r->flags |= WIRE_F_VECTOR;
	data_flags(w, 0);
	return true;
}

static bool positioned_vector(const struct work *w)
{
	w->r->flags |= WIRE_F_POSITIONED;
	return vector(w);
}

static bool message(const struct work *w)
{
	w->r->flags |= WIRE_F_SOCKET_CALL;
	vector(w);
	data_flags(w, w->c->args[2]);
	return true;
}

static bool messages(const struct work *w)
{
	w->r->flags |= WIRE_F_SOCKET_CALL | WIRE_F_VECTOR;
	data_flags(w, w->c->args[3]);
	w->r->a0 = w->r->ret > 0 ? w->c->args[5] : 0;
	if (w->r->event == WIRE_RECVMMSG)
		w->r->a1 = (uint64_t)w->c->limit;
	return true;
}

static bool file_sent(const struct work *w)
{
	w->r->a0 = w->c->args[3];
	w->r->a1 = w->c->args[1] & UINT32_MAX;
	return true;
}

static bool spliced(const struct work *w)
{
	w->r->fd = (int32_t)w->c->args[2];
	w->r->a0 = w->c->args[4];
	w->r->a1 = w->c->args[0] & UINT32_MAX;
	return true;
}

/* -- waits -- */

static_assert(PROBE_POLL == WIRE_POLL_MAX, "the probes copy what a record can list");
static_assert(PROBE_POLL == WIRE_EPOLL_MAX, "the probes copy what a record can list");

static bool polled(const struct work *w)
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

static bool selected(const struct work *w)
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

static bool epoll_made(const struct work *w)
{
	w->r->fd = (int32_t)w->r->ret;
	return true;
}

static bool epoll_changed(const struct work *w)
{
	const uint32_t events = (uint32_t)number(w, 0, 4);

	w->r->a0 = pair(w->c->args[1], w->c->args[2]);
	w->r->a1 = w->c->args[1] != EPOLL_CTL_DEL ? number(w, 4, 8) : 0;
	memcpy(w->to->made, &events, sizeof(events));
	made(w, sizeof(events));
	return true;
}

static bool epoll_waited(const struct work *w)
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

static bool slept(const struct work *w)
{
	w->r->fd = -1;
	w->r->a1 = (uint64_t)w->c->limit;
	if (w->c->nr == SYS_clock_nanosleep && (w->c->args[1] & TIMER_ABSTIME) && w->c->limit > 0)
		w->r->a1 = until(w, w->c->args[0] == CLOCK_REALTIME, (uint64_t)w->c->limit);
	return true;
}

static bool timer_fd_made(const struct work *w)
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

static bool timer_set(const struct work *w)
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

static bool timer_made(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[0] & UINT32_MAX;
	w->r->a1 = number(w, 0, 4);
	no_data(w);
	return true;
}

static bool interval_set(const struct work *w)
{
	w->r->fd = -1;
	if (w->r->ret == 0) {
		w->r->a0 = time_at(w, 0, 1000);
		w->r->a1 = time_at(w, 16, 1000);
	}
	no_data(w);
	return w->c->args[0] == ITIMER_REAL && w->c->args[1] != 0;
}

static bool alarm_set(const struct work *w)
{
	w->r->fd = -1;
	w->r->a1 = (w->c->args[0] & UINT32_MAX) * NS_PER_S;
	return true;
}

static bool child_waited(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = number(w, 0, 4);
	no_data(w);
	return true;
}

static bool action_set(const struct work *w)
{
	w->r->fd = -1;
	w->r->a0 = w->c->args[0];
	w->r->a1 = number(w, 8, 8) & UINT32_MAX;
	no_data(w);
	return w->c->args[0] == SIGALRM && w->c->data_len == 16;
}

static const struct row {
	uint16_t nr;
	uint16_t event;
	struct probe_rule rule;
	shape_fn shape;
} rows[] = {
	{SYS_read, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, transfer},
	{SYS_write, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, transfer},
	{SYS_pread64, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, positioned},
	{SYS_pwrite64, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, positioned},
	{SYS_readv, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, vector},
	{SYS_writev, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, vector},
	{SYS_preadv, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, positioned_vector},
	{SYS_pwritev, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, positioned_vector},
	{SYS_preadv2, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, positioned_vector},
	{SYS_pwritev2, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, positioned_vector},
	{SYS_recvfrom, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, socket_transfer},
	{SYS_sendto, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, socket_transfer},
	{SYS_recvmsg, WIRE_READ, {INPUT, COPY_MESSAGE, LIMIT_NONE}, message},
	{SYS_sendmsg, WIRE_WRITE, {DATA, COPY_MESSAGE, LIMIT_NONE}, message},
	{SYS_recvmmsg, WIRE_RECVMMSG, {INPUT, COPY_MESSAGES, LIMIT_SPEC_ARG4}, messages},
	{SYS_sendmmsg, WIRE_SENDMMSG, {DATA, COPY_MESSAGES, LIMIT_NONE}, messages},
	{SYS_sendfile, WIRE_SENDFILE, {DATA, COPY_NONE, LIMIT_NONE}, file_sent},
	{SYS_splice, WIRE_SPLICE, {WAIT, COPY_NONE, LIMIT_NONE}, spliced},
	{SYS_socket, WIRE_SOCKET, {RULE_WATCH | RULE_NEW_FD | RULE_SOCKET, COPY_NONE, LIMIT_NONE}, socket_made},
	{SYS_socketpair, WIRE_SOCKETPAIR, {RULE_WATCH, COPY_ARG3_8, LIMIT_NONE}, socket_pair},
	{SYS_connect, WIRE_CONNECT, {WAIT | RULE_CONNECT | RULE_FAILED, COPY_ADDRESS, LIMIT_NONE}, connected},
	{SYS_bind, WIRE_BIND, {RULE_WATCH | RULE_FAILED, COPY_ADDRESS, LIMIT_NONE}, plain},
	{SYS_listen, WIRE_LISTEN, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, arg1_in_a0},
	{SYS_accept, WIRE_ACCEPT, {WAIT | RULE_NEW_FD | RULE_SOCKET, COPY_ACCEPTED, LIMIT_NONE}, accepted},
	{SYS_accept4, WIRE_ACCEPT, {WAIT | RULE_NEW_FD | RULE_SOCKET, COPY_ACCEPTED, LIMIT_NONE}, accepted},
	{SYS_shutdown, WIRE_SHUTDOWN, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, arg1_in_a0},
	{SYS_close, WIRE_CLOSE, {RULE_WATCH | RULE_CLOSES, COPY_NONE, LIMIT_NONE}, plain},
	{SYS_close_range, WIRE_CLOSE, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, closed_range},
	{SYS_dup, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, duplicated},
	{SYS_dup3, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, duplicated},
	{SYS_fcntl, WIRE_SETFL, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, fcntl_made},
	{SYS_ioctl, WIRE_SETFL, {RULE_WATCH, COPY_ARG2_4, LIMIT_NONE}, ioctl_made},
	{SYS_setsockopt, WIRE_SETSOCKOPT, {RULE_WATCH, COPY_OPTION, LIMIT_NONE}, option_set},
	{SYS_getsockopt, WIRE_GETSOCKOPT, {RULE_WATCH, COPY_ARG3_4, LIMIT_NONE}, option_read},
	{SYS_openat, WIRE_OPEN, {RULE_WATCH | RULE_FAILED, COPY_PATH, LIMIT_NONE}, opened},
	{SYS_pipe2, WIRE_PIPE, {RULE_WATCH, COPY_ARG0_8, LIMIT_NONE}, pipe_made},
	{SYS_ppoll, WIRE_POLL, {WAIT | RULE_FAILED, COPY_POLL, LIMIT_SPEC_ARG2}, polled},
	{SYS_pselect6, WIRE_POLL, {WAIT | RULE_FAILED, COPY_SELECT, LIMIT_SPEC_ARG4}, selected},
	{SYS_epoll_create1, WIRE_EPOLL_CREATE, {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE}, epoll_made},
	{SYS_epoll_ctl, WIRE_EPOLL_CTL, {RULE_WATCH, COPY_EPOLL_EVENT, LIMIT_NONE}, epoll_changed},
	{SYS_epoll_pwait, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_MS_ARG3}, epoll_waited},
	{SYS_epoll_pwait2, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_SPEC_ARG3}, epoll_waited},
	{SYS_nanosleep, WIRE_SLEEP, {WAIT, COPY_NONE, LIMIT_SPEC_ARG0}, slept},
	{SYS_clock_nanosleep, WIRE_SLEEP, {WAIT, COPY_NONE, LIMIT_SPEC_ARG2}, slept},
	{SYS_timerfd_create, WIRE_TIMERFD_CREATE, {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE}, timer_fd_made},
	{SYS_timerfd_settime, WIRE_TIMERFD_SETTIME, {RULE_WATCH, COPY_ARG2_32, LIMIT_NONE}, timer_set},
	{SYS_timer_create, WIRE_TIMER_CREATE, {RULE_WATCH, COPY_ARG2_4, LIMIT_NONE}, timer_made},
	{SYS_timer_settime, WIRE_TIMER_SETTIME, {RULE_WATCH, COPY_ARG2_32, LIMIT_NONE}, timer_set},
	{SYS_setitimer, WIRE_ITIMER, {RULE_WATCH, COPY_ARG1_32, LIMIT_NONE}, interval_set},
	{SYS_wait4, WIRE_WAITPID, {WAIT, COPY_ARG1_4, LIMIT_NONE}, child_waited},
	{SYS_rt_sigaction, WIRE_SIGACTION, {RULE_WATCH, COPY_ARG1_16, LIMIT_NONE}, action_set},
#if defined(__x86_64__) /* older names that newer processors do not have */
	{SYS_open, WIRE_OPEN, {RULE_WATCH | RULE_FAILED | RULE_NO_DIR, COPY_PATH, LIMIT_NONE}, opened},
	{SYS_pipe, WIRE_PIPE, {RULE_WATCH, COPY_ARG0_8, LIMIT_NONE}, pipe_made},
	{SYS_dup2, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, duplicated},
	{SYS_poll, WIRE_POLL, {WAIT | RULE_FAILED, COPY_POLL, LIMIT_MS_ARG2}, polled},
	{SYS_select, WIRE_POLL, {WAIT | RULE_FAILED, COPY_SELECT, LIMIT_VAL_ARG4}, selected},
	{SYS_epoll_create, WIRE_EPOLL_CREATE, {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE}, epoll_made},
	{SYS_epoll_wait, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_MS_ARG3}, epoll_waited},
	{SYS_alarm, WIRE_ITIMER, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, alarm_set},
#endif
};

static const struct row *row_of(uint16_t nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == nr)
			return &rows[i];
	return NULL;
}

void translate_rules(struct probe_rule *rules)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		rules[rows[i].nr] = rows[i].rule;
}

bool translate_call(const struct probe_call *c, const uint8_t *data, uint64_t wall_ns, struct translated *ret)
{
	const struct row *row = row_of(c->nr);
	const struct work w = {.c = c, .data = data, .wall_ns = wall_ns, .to = ret, .r = &ret->record};

	if (row == NULL)
		return false;
	/* Told only because the descriptor was new to the probes. */
	if ((row->rule.flags & RULE_DATA) &&
	    (c->policy == WIRE_POLICY_NONE || (c->policy == WIRE_POLICY_SINK && (row->rule.flags & RULE_READS))))
		return false;
	ret->record = (struct wire_record){
		.event = row->event,
		.units = 1,
		.t0 = c->t0,
		.t1 = c->t1,
		.ret = c->ret < 0 ? -1 : c->ret,
		.err = c->ret < 0 ? (uint16_t)-c->ret : 0,
		.fd = (int32_t)c->args[0],
		.flags = c->wanted > c->data_len ? WIRE_F_TRUNCATED : 0,
		.data_len = c->data_len,
		.site = c->site,
	};
	ret->data = data;
	return row->shape(&w);
}

uint16_t translate_event(uint16_t nr)
{
	const struct row *row = row_of(nr);

	return row != NULL ? row->event : 0;
}

uint16_t translate_waiting(const struct probe_slot *slot, int *ret_fd)
{
	const struct row *row = row_of(slot->nr);

	if (row == NULL || !(row->rule.flags & RULE_WAITS))
		return 0;
	*ret_fd = row->event == WIRE_POLL || row->event == WIRE_SLEEP || row->event == WIRE_WAITPID ? -1 : (int)slot->args[0];
	return row->event;
}

int64_t translate_limit(const struct probe_slot *slot)
{
	const struct row *row = row_of(slot->nr);
	const uint8_t how = row != NULL ? row->rule.limit : LIMIT_NONE;
	const int32_t ms = (int32_t)slot->args[how == LIMIT_MS_ARG2 ? 2 : 3];

	if (how != LIMIT_MS_ARG2 && how != LIMIT_MS_ARG3)
		return -1;
	return ms < 0 ? -1 : (int64_t)ms * 1000000;
}

uint64_t translate_limit_at(const struct probe_slot *slot, bool *ret_is_timeval)
{
	static const uint8_t args[] = {
		[LIMIT_SPEC_ARG0] = 1, [LIMIT_SPEC_ARG2] = 3, [LIMIT_SPEC_ARG3] = 4, [LIMIT_SPEC_ARG4] = 5, [LIMIT_VAL_ARG4] = 5};
	const struct row *row = row_of(slot->nr);
	const uint8_t how = row != NULL ? row->rule.limit : LIMIT_NONE;

	*ret_is_timeval = how == LIMIT_VAL_ARG4;
	return how < sizeof(args) && args[how] != 0 ? slot->args[args[how] - 1] : 0;
}

bool translate_is_poll(uint16_t nr)
{
	const struct row *row = row_of(nr);

	return row != NULL && row->rule.copy == COPY_POLL;
}
