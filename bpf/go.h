// SPDX-License-Identifier: Dual BSD/GPL
/*
 * What a Go program says of its deadlines: they are timers of its runtime, which no system call sets. One program for all of the functions
 * that set, stop or hand on a deadline (enum probe_go_what is its cookie). It stands behind the function's check of its stack, where the
 * arguments are still in the registers that Go passes them in (agent/commands/go_sites.c). What the copies mean is the agent's to find out.
 *
 * Unlike the others it may be preempted: so it writes into the ring buffer itself, and has no scratch. A part of the one program
 * (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_GO_H
#define GAPSCOPE_BPF_GO_H

#include "bpf/state.h"

/* An interface of Go is a pointer to its table of methods, and one to the value. */
struct go_interface {
	uint64_t table, value;
};

#define GO_TABLE_METHODS 24U   /* in the table: the first method's address, by name */
#define GO_CONN_AT 80U         /* net/http.persistConn.conn; the agent checks what was found there */
#define GO_REQUEST_CONTEXT 24U /* net/http.transportRequest.ctx */
#define GO_NET_FD 16U          /* internal/poll.FD.Sysfd, with which net.netFD begins */
#define GO_POLL_FD 8U          /* runtime.pollDesc.fd */

static __always_inline uint64_t go_word(uint64_t at)
{
	uint64_t word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)at);
	return word;
}

static __always_inline struct go_interface go_interface_at(uint64_t at)
{
	struct go_interface i = {0};

	bpf_probe_read_user(&i, sizeof(i), (void *)at);
	return i;
}

static __always_inline void go_head(struct probe_call *c, uint32_t what, const struct pt_regs *regs, uint32_t data_len)
{
	const uint64_t id = bpf_get_current_pid_tgid();

	__builtin_memset(c, 0, sizeof(*c));
	c->kind = PROBE_GO;
	c->nr = (uint16_t)what;
	c->tgid = id >> 32;
	c->tid = (uint32_t)id;
	c->t0 = c->t1 = bpf_ktime_get_ns();
	c->limit = -1;
	c->data_len = c->wanted = data_len;
	cpu_go_args(regs, c->args);
	c->task = cpu_go_task(regs);
}

static __always_inline void go_tell_timer(void *ctx, uint32_t what, const struct pt_regs *regs)
{
	struct {
		struct probe_call call;
		struct probe_go_timer go;
	} *to = bpf_ringbuf_reserve(&events, sizeof(*to), 0);

	if (!to) {
		count(PROBE_COUNT_FULL);
		return;
	}
	go_head(&to->call, what, regs, sizeof(to->go));
	__builtin_memset(&to->go, 0, sizeof(to->go));
	if (what == GO_SET_DEADLINE)
		to->call.args[3] = go_word(to->call.args[0] + GO_POLL_FD);
	else if (what != GO_NEW_TIMER && what != GO_SLEEP)
		bpf_probe_read_user(to->go.object, sizeof(to->go.object), (void *)to->call.args[0]);
	/* The frame pointer is still the caller's: its own return address is not behind it, but on the stack. */
	to->go.callers[0] = go_word(cpu_sp(regs));
	if (what != GO_STOP_TIMER)
		bpf_get_stack(ctx, &to->go.callers[1], sizeof(to->go.callers) - 8, BPF_F_USER_STACK);
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	count(PROBE_COUNT_TOLD);
}

/* A context and those it was made from: each begins with the one before, an interface. */
static __always_inline void go_chain(struct probe_go_chain *to, struct go_interface first)
{
	struct go_interface i = first;

	for (uint32_t n = 0; n < PROBE_GO_NODES; n++) {
		struct probe_go_node *node = &to->nodes[n];

		if (!i.value || bpf_probe_read_user(node->bytes, sizeof(node->bytes), (void *)i.value) != 0)
			break;
		node->method = i.table ? go_word(i.table + GO_TABLE_METHODS) : 0;
		to->nodes_n = n + 1;
		__builtin_memcpy(&i, node->bytes, sizeof(i));
	}
}

/* The descriptor of a connection: of TCP, or of TLS over it. */
static __always_inline void go_descriptor(struct probe_go_chain *to, uint64_t at)
{
	const struct go_interface outer = go_interface_at(at);
	const struct go_interface inner = go_interface_at(outer.value);

	to->conn_method[0] = go_word(outer.table + GO_TABLE_METHODS);
	to->conn_fd[0] = (int32_t)go_word(go_word(outer.value) + GO_NET_FD);
	to->conn_method[1] = go_word(inner.table + GO_TABLE_METHODS);
	to->conn_fd[1] = (int32_t)go_word(go_word(inner.value) + GO_NET_FD);
}

static __always_inline void go_tell_chain(uint32_t what, const struct pt_regs *regs)
{
	struct {
		struct probe_call call;
		struct probe_go_chain go;
	} *to = bpf_ringbuf_reserve(&events, sizeof(*to), 0);

	if (!to) {
		count(PROBE_COUNT_FULL);
		return;
	}
	go_head(&to->call, what, regs, sizeof(to->go));
	to->go.nodes_n = 0; /* behind which nothing means anything */
	__builtin_memset(to->go.conn_method, 0, sizeof(to->go.conn_method));
	if (what == GO_ROUND_TRIP) {
		go_descriptor(&to->go, to->call.args[0] + GO_CONN_AT);
		go_chain(&to->go, go_interface_at(to->call.args[1] + GO_REQUEST_CONTEXT));
	} else {
		go_chain(&to->go, (struct go_interface){.value = to->call.args[0]});
	}
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	count(PROBE_COUNT_TOLD);
}

SEC("uprobe")
int on_go(struct pt_regs *regs)
{
	const uint32_t process = process_find(bpf_get_current_pid_tgid() >> 32);
	const uint32_t what = (uint32_t)bpf_get_attach_cookie(regs);

	if (process == PROBE_PROCESSES || !process_started[process & (PROBE_PROCESSES - 1)])
		return 0;
	if (what == GO_ROUND_TRIP || what == GO_DONE)
		go_tell_chain(what, regs);
	else
		go_tell_timer(regs, what, regs);
	return 0;
}

#endif
