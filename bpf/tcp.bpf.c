// SPDX-License-Identifier: Dual BSD/GPL
/*
 * TCP as the kernel sees it, and the life of processes: cheap programs at rare events (a connection changes its state, a segment is sent again, a
 * process begins or ends), which may stay loaded for as long as a session lasts. None of them stands on the way of a system call.
 *
 * Whose a connection is: of the process that connects or listens, noted when it does; of those that were there before, the agent says so, by
 * the socket's cookie. Everything is added up here, by peer: nothing is sent, so nothing can be missed but for want of room, which is counted.
 */
#include "bpf/kernel.h"
/* after the types */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/tcp.h"
#include "bpf/watched.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { ESTABLISHED = 1, SYN_SENT = 2, SYN_RECV = 3, CLOSE = 7, LISTEN = 10 };

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define ERR_CONNRESET 104
#define ERR_TIMEDOUT 110
#define SIGNAL_BITS 0x7f

uint64_t totals[TCP_TOTALS];

/* By cookie: enum tcp_role. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TCP_SOCKETS);
	__type(key, uint64_t);
	__type(value, uint32_t);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TCP_LISTENERS);
	__type(key, struct tcp_listener);
	__type(value, uint32_t);
} listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TCP_PEERS);
	__type(key, struct tcp_peer);
	__type(value, struct tcp_counts);
} peers SEC(".maps");

static __always_inline void total(uint32_t what)
{
	__sync_fetch_and_add(&totals[what], 1);
}

static __always_inline void count_peer(const struct sock *sk, uint32_t role, uint32_t what)
{
	static const struct tcp_counts none;
	struct tcp_peer key = {.role = role, .family = sk->__sk_common.skc_family};
	struct tcp_counts *c;

	if (role == TCP_CLIENT) {
		key.port = sk->__sk_common.skc_dport;
		if (key.family == AF_INET6)
			BPF_CORE_READ_INTO(&key.addr, sk, __sk_common.skc_v6_daddr);
		else
			*(uint32_t *)(void *)key.addr = sk->__sk_common.skc_daddr;
	}
	c = bpf_map_lookup_elem(&peers, &key);
	if (!c) {
		bpf_map_update_elem(&peers, &key, &none, BPF_NOEXIST); /* another processor may have been first */
		c = bpf_map_lookup_elem(&peers, &key);
	}
	if (c && what < TCP_WHATS)
		__sync_fetch_and_add(&c->n[what], 1);
	else
		total(TCP_LOST_PEERS);
}

static __always_inline struct tcp_listener listener_of(const struct sock *sk)
{
	return (struct tcp_listener){.net = sk->__sk_common.skc_net.net->ns.inum, .port = sk->__sk_common.skc_num};
}

static __always_inline uint32_t end_of(const struct sock *sk, int before)
{
	if (before == SYN_SENT)
		return TCP_CONNECT_FAILED;
	return sk->sk_err == ERR_CONNRESET ? TCP_RESET : sk->sk_err == ERR_TIMEDOUT ? TCP_TIMED_OUT : TCP_CLOSED;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after)
{
	const uint32_t tgid = bpf_get_current_pid_tgid() >> 32;
	struct tcp_listener listener;
	uint32_t *role, own;
	uint64_t cookie;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	if (before == CLOSE && after == SYN_SENT) { /* by who connects */
		own = TCP_CLIENT;
		if (is_watched(tgid))
			bpf_map_update_elem(&sockets, &cookie, &own, BPF_ANY);
		return 0;
	}
	listener = listener_of(sk);
	if (after == LISTEN) {
		if (is_watched(tgid))
			bpf_map_update_elem(&listeners, &listener, &tgid, BPF_ANY);
		return 0;
	}
	if (before == LISTEN && after == CLOSE) { /* a new connection begins as its listener's copy, too */
		bpf_map_delete_elem(&listeners, &listener);
		return 0;
	}
	role = bpf_map_lookup_elem(&sockets, &cookie);
	if (!role && before == SYN_RECV && after == ESTABLISHED && bpf_map_lookup_elem(&listeners, &listener)) {
		own = TCP_SERVER;
		bpf_map_update_elem(&sockets, &cookie, &own, BPF_ANY);
		count_peer(sk, own, TCP_ESTABLISHED);
		return 0;
	}
	if (!role)
		return 0;
	own = *role;
	if (after == ESTABLISHED)
		count_peer(sk, own, TCP_ESTABLISHED);
	if (after == CLOSE) {
		count_peer(sk, own, end_of(sk, before));
		bpf_map_delete_elem(&sockets, &cookie);
	}
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk)
{
	const uint64_t cookie = bpf_get_socket_cookie(sk);
	const uint32_t *role = bpf_map_lookup_elem(&sockets, &cookie);

	if (!role)
		return 0;
	count_peer(sk, *role, TCP_RETRANSMITS);
	if (sk->__sk_common.skc_state == SYN_SENT)
		count_peer(sk, *role, TCP_SYN_AGAIN);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (watched_forks(parent, child))
		total(watched_add((uint32_t)child->tgid) ? TCP_FORKS : TCP_LOST_PROCESSES);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	if (is_watched((uint32_t)task->tgid))
		total(TCP_EXECS);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task)
{
	if (watched_ends(task))
		total(task->exit_code & SIGNAL_BITS ? TCP_KILLED : TCP_EXITS);
	return 0;
}
