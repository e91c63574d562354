/*
 * The table of system calls: what the kernel's side copies of each, and the shape (translate_shape.h) that makes a record of it. See translate.h.
 */
#include "probes/translate.h"

#include <sys/syscall.h>

#include "probes/translate_shape.h"

#define DATA (RULE_WATCH | RULE_DATA | RULE_WAITS)
#define INPUT (DATA | RULE_READS)
#define WAIT (RULE_WATCH | RULE_WAITS)

/* All is said already. */
static bool plain(const struct work *w)
{
	(void)w;
	return true;
}

static const struct row {
	uint16_t nr;
	uint16_t event;
	struct probe_rule rule;
	shape_fn shape;
} rows[] = {
	{SYS_read, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, shape_transfer},
	{SYS_write, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, shape_transfer},
	{SYS_pread64, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, shape_positioned},
	{SYS_pwrite64, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, shape_positioned},
	{SYS_readv, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, shape_vector},
	{SYS_writev, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, shape_vector},
	{SYS_preadv, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, shape_positioned_vector},
	{SYS_pwritev, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, shape_positioned_vector},
	{SYS_preadv2, WIRE_READ, {INPUT, COPY_VECTOR, LIMIT_NONE}, shape_positioned_vector},
	{SYS_pwritev2, WIRE_WRITE, {DATA, COPY_VECTOR, LIMIT_NONE}, shape_positioned_vector},
	{SYS_recvfrom, WIRE_READ, {INPUT, COPY_BUFFER, LIMIT_NONE}, shape_socket_transfer},
	{SYS_sendto, WIRE_WRITE, {DATA, COPY_BUFFER, LIMIT_NONE}, shape_socket_transfer},
	{SYS_recvmsg, WIRE_READ, {INPUT, COPY_MESSAGE, LIMIT_NONE}, shape_message},
	{SYS_sendmsg, WIRE_WRITE, {DATA, COPY_MESSAGE, LIMIT_NONE}, shape_message},
	{SYS_recvmmsg, WIRE_RECVMMSG, {INPUT, COPY_MESSAGES, LIMIT_SPEC_ARG4}, shape_messages},
	{SYS_sendmmsg, WIRE_SENDMMSG, {DATA, COPY_MESSAGES, LIMIT_NONE}, shape_messages},
	{SYS_sendfile, WIRE_SENDFILE, {DATA, COPY_NONE, LIMIT_NONE}, shape_file_sent},
	{SYS_splice, WIRE_SPLICE, {WAIT, COPY_NONE, LIMIT_NONE}, shape_spliced},
	{SYS_socket, WIRE_SOCKET, {RULE_WATCH | RULE_NEW_FD | RULE_SOCKET, COPY_NONE, LIMIT_NONE}, shape_socket_made},
	{SYS_socketpair, WIRE_SOCKETPAIR, {RULE_WATCH, COPY_ARG3_8, LIMIT_NONE}, shape_socket_pair},
	{SYS_connect, WIRE_CONNECT, {WAIT | RULE_CONNECT | RULE_FAILED, COPY_ADDRESS, LIMIT_NONE}, shape_connected},
	{SYS_bind, WIRE_BIND, {RULE_WATCH | RULE_FAILED, COPY_ADDRESS, LIMIT_NONE}, plain},
	{SYS_listen, WIRE_LISTEN, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_arg1_in_a0},
	{SYS_accept, WIRE_ACCEPT, {WAIT | RULE_NEW_FD | RULE_SOCKET, COPY_ACCEPTED, LIMIT_NONE}, shape_accepted},
	{SYS_accept4, WIRE_ACCEPT, {WAIT | RULE_NEW_FD | RULE_SOCKET, COPY_ACCEPTED, LIMIT_NONE}, shape_accepted},
	{SYS_shutdown, WIRE_SHUTDOWN, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_arg1_in_a0},
	{SYS_close, WIRE_CLOSE, {RULE_WATCH | RULE_CLOSES, COPY_NONE, LIMIT_NONE}, plain},
	{SYS_close_range, WIRE_CLOSE, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_closed_range},
	{SYS_dup, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, shape_duplicated},
	{SYS_dup3, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, shape_duplicated},
	{SYS_fcntl, WIRE_SETFL, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_fcntl_made},
	{SYS_ioctl, WIRE_SETFL, {RULE_WATCH, COPY_ARG2_4, LIMIT_NONE}, shape_ioctl_made},
	{SYS_setsockopt, WIRE_SETSOCKOPT, {RULE_WATCH, COPY_OPTION, LIMIT_NONE}, shape_option_set},
	{SYS_getsockopt, WIRE_GETSOCKOPT, {RULE_WATCH, COPY_ARG3_4, LIMIT_NONE}, shape_option_read},
	{SYS_openat, WIRE_OPEN, {RULE_WATCH | RULE_FAILED, COPY_PATH, LIMIT_NONE}, shape_opened},
	{SYS_pipe2, WIRE_PIPE, {RULE_WATCH, COPY_ARG0_8, LIMIT_NONE}, shape_pipe_made},
	{SYS_ppoll, WIRE_POLL, {WAIT | RULE_FAILED, COPY_POLL, LIMIT_SPEC_ARG2}, shape_polled},
	{SYS_pselect6, WIRE_POLL, {WAIT | RULE_FAILED, COPY_SELECT, LIMIT_SPEC_ARG4}, shape_selected},
	{SYS_epoll_create1, WIRE_EPOLL_CREATE, {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE}, shape_epoll_made},
	{SYS_epoll_ctl, WIRE_EPOLL_CTL, {RULE_WATCH, COPY_EPOLL_EVENT, LIMIT_NONE}, shape_epoll_changed},
	{SYS_epoll_pwait, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_MS_ARG3}, shape_epoll_waited},
	{SYS_epoll_pwait2, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_SPEC_ARG3}, shape_epoll_waited},
	{SYS_nanosleep, WIRE_SLEEP, {WAIT, COPY_NONE, LIMIT_SPEC_ARG0}, shape_slept},
	{SYS_clock_nanosleep, WIRE_SLEEP, {WAIT, COPY_NONE, LIMIT_SPEC_ARG2}, shape_slept},
	{SYS_timerfd_create,
	 WIRE_TIMERFD_CREATE,
	 {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE},
	 shape_timer_fd_made},
	{SYS_timerfd_settime, WIRE_TIMERFD_SETTIME, {RULE_WATCH, COPY_ARG2_32, LIMIT_NONE}, shape_timer_set},
	{SYS_timer_create, WIRE_TIMER_CREATE, {RULE_WATCH, COPY_ARG2_4, LIMIT_NONE}, shape_timer_made},
	{SYS_timer_settime, WIRE_TIMER_SETTIME, {RULE_WATCH, COPY_ARG2_32, LIMIT_NONE}, shape_timer_set},
	{SYS_timer_delete, WIRE_TIMER_SETTIME, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_timer_set},
	{SYS_setitimer, WIRE_ITIMER, {RULE_WATCH, COPY_ARG1_32, LIMIT_NONE}, shape_interval_set},
	{SYS_wait4, WIRE_WAITPID, {WAIT, COPY_ARG1_4, LIMIT_NONE}, shape_child_waited},
	{SYS_rt_sigaction, WIRE_SIGACTION, {RULE_WATCH, COPY_ARG1_16, LIMIT_NONE}, shape_action_set},
#if defined(__x86_64__) /* older names that newer processors do not have */
	{SYS_open, WIRE_OPEN, {RULE_WATCH | RULE_FAILED | RULE_NO_DIR, COPY_PATH, LIMIT_NONE}, shape_opened},
	{SYS_pipe, WIRE_PIPE, {RULE_WATCH, COPY_ARG0_8, LIMIT_NONE}, shape_pipe_made},
	{SYS_dup2, WIRE_DUP, {RULE_WATCH | RULE_NEW_FD, COPY_NONE, LIMIT_NONE}, shape_duplicated},
	{SYS_poll, WIRE_POLL, {WAIT | RULE_FAILED, COPY_POLL, LIMIT_MS_ARG2}, shape_polled},
	{SYS_select, WIRE_POLL, {WAIT | RULE_FAILED, COPY_SELECT, LIMIT_VAL_ARG4}, shape_selected},
	{SYS_epoll_create, WIRE_EPOLL_CREATE, {RULE_WATCH | RULE_NEW_FD | RULE_QUIET, COPY_NONE, LIMIT_NONE}, shape_epoll_made},
	{SYS_epoll_wait, WIRE_EPOLL_WAIT, {WAIT, COPY_EPOLL_READY, LIMIT_MS_ARG3}, shape_epoll_waited},
	{SYS_alarm, WIRE_ITIMER, {RULE_WATCH, COPY_NONE, LIMIT_NONE}, shape_alarm_set},
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
		.flags = (uint16_t)((c->wanted > c->data_len ? WIRE_F_TRUNCATED : 0) | (c->tail ? WIRE_F_TAIL : 0)),
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
