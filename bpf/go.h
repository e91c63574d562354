// SPDX-License-Identifier: Dual BSD/GPL
/*
 * What a Go program says of its deadlines, which are timers of its runtime that no system call sets, and of the bytes inside of its TLS. One
 * program for all of these functions (enum probe_go_what is its cookie). It stands behind the function's check of its stack, where the
 * arguments are still in the registers that Go passes them in, or at the returns of one (agent/commands/go_sites.c). What the copies mean is the agent's to find out.
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
static __always_inline void go_descriptor(struct probe_go_conn *to, uint64_t at)
{
	const struct go_interface outer = go_interface_at(at);
	const struct go_interface inner = go_interface_at(outer.value);

	to->method[0] = go_word(outer.table + GO_TABLE_METHODS);
	to->fd[0] = (int32_t)go_word(go_word(outer.value) + GO_NET_FD);
	to->method[1] = go_word(inner.table + GO_TABLE_METHODS);
	to->fd[1] = (int32_t)go_word(go_word(inner.value) + GO_NET_FD);
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
	__builtin_memset(to->go.conn.method, 0, sizeof(to->go.conn.method));
	if (what == GO_ROUND_TRIP) {
		go_descriptor(&to->go.conn, to->call.args[0] + GO_CONN_AT);
		go_chain(&to->go, go_interface_at(to->call.args[1] + GO_REQUEST_CONTEXT));
	} else {
		go_chain(&to->go, (struct go_interface){.value = to->call.args[0]});
	}
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	count(PROBE_COUNT_TOLD);
}

/* -- plaintext of crypto/tls -- */

/* A read that has not returned: where the bytes will be. By its goroutine: threads change meanwhile. */
struct go_read {
	uint64_t conn, buffer, t0;
	uint64_t stack_low, stack_high; /* of the goroutine: a buffer on it moves along when it grows */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROBE_GO_READS);
	__type(key, uint64_t[2]);
	__type(value, struct go_read);
} go_reads SEC(".maps");

#define GO_STACK_LOW 0U /* runtime.g.stack */
#define GO_STACK_HIGH 8U

/* `room` is a constant of the caller's. */
static __always_inline void go_tell_plain(uint32_t what, const struct pt_regs *regs, const struct go_read *of, uint64_t bytes,
					  const uint32_t room)
{
	struct told {
		struct probe_call call;
		struct probe_go_plain go;
		uint8_t bytes[];
	} *to = bpf_ringbuf_reserve(&events, sizeof(struct told) + room, 0);
	uint32_t n = bytes < room ? (uint32_t)bytes : room;

	if (!to) {
		count(PROBE_COUNT_FULL);
		return;
	}
	asm volatile("" : "+r"(n)); /* or else the compiler, which knows, drops the check that the kernel's verifier wants to see */
	if (n > room || bpf_probe_read_user(to->bytes, n, (void *)of->buffer) != 0) {
		count(PROBE_COUNT_UNREADABLE);
		n = 0;
	}
	go_head(&to->call, what, regs, sizeof(to->go) + n);
	to->call.t0 = of->t0;
	to->call.args[1] = of->conn;
	to->call.args[2] = bytes;
	go_descriptor(&to->go.conn, of->conn); /* crypto/tls.Conn begins with it */
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	count(PROBE_COUNT_TOLD);
}

/* They are told in full room, which is given back only when they are read: small ones take little. */
static __always_inline void go_plain(uint32_t what, const struct pt_regs *regs, const struct go_read *of, uint64_t bytes)
{
	if (bytes <= PROBE_PLAIN_FEW)
		go_tell_plain(what, regs, of, bytes, PROBE_PLAIN_FEW);
	else
		go_tell_plain(what, regs, of, bytes, PROBE_PLAIN);
}

static __always_inline void go_tls(uint32_t what, const struct pt_regs *regs)
{
	const uint64_t task = cpu_go_task(regs);
	const uint64_t key[2] = {bpf_get_current_pid_tgid() >> 32, task};
	uint64_t args[3];
	struct go_read *of, r = {0};

	cpu_go_args(regs, args);
	if (what != GO_TLS_READ_DONE) {
		r.conn = args[0];
		r.buffer = args[1];
		r.t0 = bpf_ktime_get_ns();
	}
	if (what == GO_TLS_WRITE) {
		if (args[2] > 0)
			go_plain(what, regs, &r, args[2]);
		return;
	}
	if (what == GO_TLS_READ) {
		r.stack_low = go_word(task + GO_STACK_LOW);
		r.stack_high = go_word(task + GO_STACK_HIGH);
		bpf_map_update_elem(&go_reads, key, &r, BPF_ANY);
		return;
	}
	of = bpf_map_lookup_elem(&go_reads, key);
	if (!of)
		return;
	r = *of;
	bpf_map_delete_elem(&go_reads, key);
	if (r.buffer >= r.stack_low && r.buffer < r.stack_high) /* its distance from the upper end stays */
		r.buffer += go_word(task + GO_STACK_HIGH) - r.stack_high;
	if ((int64_t)args[0] > 0)
		go_plain(what, regs, &r, args[0]);
}

SEC("uprobe")
int on_go(struct pt_regs *regs)
{
	const uint32_t process = process_find(bpf_get_current_pid_tgid() >> 32);
	const uint32_t what = (uint32_t)bpf_get_attach_cookie(regs);

	if (process == PROBE_PROCESSES || !process_is_told(process))
		return 0;
	if (!process_is_known(process)) {
		count(PROBE_COUNT_FULL); /* which is why */
		return 0;
	}
	if (what >= GO_TLS_WRITE)
		go_tls(what, regs);
	else if (what == GO_ROUND_TRIP || what == GO_DONE)
		go_tell_chain(what, regs);
	else
		go_tell_timer(regs, what, regs);
	return 0;
}

#endif
