// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Proof mode for programs that the shim cannot enter: leads their connections to the relay, as preload/fault.c does for the others, and to the same
 * rules (agent/wire/fault.h). The kernel asks at each connect of the control groups that it is attached to; who is not watched is let through.
 * Attached only while a session proves, and for no longer than the agent lives: the links are its descriptors.
 */
#include "bpf/kernel.h"
/* after the types */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lead.h"
#include "bpf/watched.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define MAPPED bpf_htonl(0xffff)
#define GO_ON 1 /* with the connect */

struct address {
	uint32_t word[4]; /* as in the rows: IPv6, or IPv4 mapped into it */
	uint16_t port;
};

/* Shared with the agent and the relay: a struct wire_fault. */
uint64_t fault_words[LEAD_WORDS];
uint32_t agent_tgid; /* what it starts from now on is watched; 0: nothing is */

static __always_inline struct wire_fault *the_fault(void)
{
	return (struct wire_fault *)(void *)fault_words;
}

/* Numbers that others change meanwhile: read once. */
static __always_inline uint32_t now_is(const void *number)
{
	return *(const volatile uint32_t *)number;
}

static __always_inline bool is_ours(void)
{
	return is_watched(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline bool same_network(const struct wire_fault *f)
{
	const struct task_struct *task = (const struct task_struct *)(void *)bpf_get_current_task();

	return BPF_CORE_READ(task, nsproxy, net_ns, ns.inum) == f->network;
}

static __always_inline bool is_peer(const struct wire_fault_peer *p, const struct address *a)
{
	const uint32_t *word = (const uint32_t *)(const void *)p->address;

	return p->port == a->port && word[0] == a->word[0] && word[1] == a->word[1] && word[2] == a->word[2] &&
	       word[3] == a->word[3];
}

/* See wire_fault_row. */
__noinline uint32_t row_of(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t port)
{
	const struct address a = {.word = {w0, w1, w2, w3}, .port = (uint16_t)port};
	struct wire_fault *f = the_fault();

	for (uint32_t i = 0; i < WIRE_FAULT_PEERS; i++) {
		struct wire_fault_peer *p = &f->peers[i];
		uint32_t *const state = (uint32_t *)(void *)&p->state;
		uint32_t *const word = (uint32_t *)(void *)p->address;

		if (now_is(state) == WIRE_FAULT_PEER_READY && is_peer(p, &a))
			return i;
		if (now_is(state) != WIRE_FAULT_PEER_FREE ||
		    __sync_val_compare_and_swap(state, WIRE_FAULT_PEER_FREE, WIRE_FAULT_PEER_TAKEN) != WIRE_FAULT_PEER_FREE)
			continue;
		word[0] = w0;
		word[1] = w1;
		word[2] = w2;
		word[3] = w3;
		p->port = a.port;
		__sync_val_compare_and_swap(state, WIRE_FAULT_PEER_TAKEN, WIRE_FAULT_PEER_READY);
		return i;
	}
	return WIRE_FAULT_PEERS;
}

static __always_inline bool is_target(struct wire_fault *f, uint32_t row)
{
	const uint32_t before = __sync_val_compare_and_swap((uint32_t *)(void *)&f->target, 0, row + 1);

	return before == 0 || before == row + 1;
}

/* See wire_fault_take. */
static __always_inline bool take(struct wire_fault *f, uint64_t now_ns)
{
	int32_t *const credit = (int32_t *)(void *)&f->credit;

	for (uint32_t i = 0; i < LEAD_TRIES; i++) {
		const int32_t left = (int32_t)now_is(credit);

		if (left <= 0)
			return false;
		if (__sync_val_compare_and_swap(credit, left, left - 1) == left) {
			*(volatile uint64_t *)(void *)&f->affected_ns = now_ns;
			__sync_fetch_and_add((uint32_t *)(void *)&f->affected, 1);
			return true;
		}
	}
	return false;
}

/* The address to go to instead, IPv4 and in network order; 0: where it wanted to go. */
static __always_inline uint32_t led_to(struct bpf_sock_addr *ctx, const struct address *a, uint16_t *ret_port)
{
	struct wire_fault *f = the_fault();
	const uint32_t way = now_is(&f->way);
	const uint64_t now_ns = bpf_ktime_get_ns();
	uint32_t row;

	if ((way != WIRE_FAULT_RELAY && way != WIRE_FAULT_REFUSE && way != WIRE_FAULT_SILENT) || a->port == 0 ||
	    ctx->type != SOCK_STREAM || ctx->protocol != IPPROTO_TCP ||
	    now_ns >= *(const volatile uint64_t *)(const void *)&f->until_ns || !is_ours() || !same_network(f))
		return 0;
	row = row_of(a->word[0], a->word[1], a->word[2], a->word[3], a->port);
	if (row >= WIRE_FAULT_PEERS || !is_target(f, row) || !take(f, now_ns))
		return 0;
	*ret_port = bpf_htons(way == WIRE_FAULT_RELAY ? f->relay_port : way == WIRE_FAULT_REFUSE ? f->refuse_port : f->silent_port);
	return bpf_htonl(WIRE_FAULT_NET + row + 1);
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx)
{
	const struct address a = {.word = {0, 0, MAPPED, ctx->user_ip4}, .port = (uint16_t)ctx->user_port};
	uint16_t port = 0;
	const uint32_t to = led_to(ctx, &a, &port);

	if (to != 0) {
		ctx->user_ip4 = to;
		ctx->user_port = port;
	}
	return GO_ON;
}

/* A socket for IPv6 alone reaches no relay. */
static __always_inline bool takes_ipv4(struct bpf_sock_addr *ctx)
{
	const struct sock *sk = ctx->sk ? (const struct sock *)(void *)bpf_skc_to_tcp6_sock(ctx->sk) : 0;

	return sk && !BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *ctx)
{
	const struct address a = {.word = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]},
				  .port = (uint16_t)ctx->user_port};
	uint16_t port = 0;
	uint32_t to;

	/* A link-local address says nothing without its interface, which the relay does not know. */
	if ((a.word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000) || !takes_ipv4(ctx))
		return GO_ON;
	to = led_to(ctx, &a, &port);
	if (to != 0) {
		ctx->user_ip6[0] = 0;
		ctx->user_ip6[1] = 0;
		ctx->user_ip6[2] = MAPPED;
		ctx->user_ip6[3] = to;
		ctx->user_port = port;
	}
	return GO_ON;
}

/* Who asks for the peer of a connection that was led gets the one that it wanted. */
static __always_inline const struct wire_fault_peer *peer_behind(uint32_t ip4, uint16_t port)
{
	const struct wire_fault *f = the_fault();
	const uint32_t row = bpf_ntohl(ip4) - WIRE_FAULT_NET - 1;

	if (row >= WIRE_FAULT_PEERS || port == 0 || (port != f->relay_port && port != f->silent_port) || !is_ours())
		return 0;
	return now_is(&f->peers[row].state) == WIRE_FAULT_PEER_READY ? &f->peers[row] : 0;
}

SEC("cgroup/getpeername4")
int on_getpeername4(struct bpf_sock_addr *ctx)
{
	const struct wire_fault_peer *p = peer_behind(ctx->user_ip4, bpf_ntohs(ctx->user_port));

	if (p) {
		ctx->user_ip4 = ((const uint32_t *)(const void *)p->address)[3];
		ctx->user_port = p->port;
	}
	return GO_ON;
}

SEC("cgroup/getpeername6")
int on_getpeername6(struct bpf_sock_addr *ctx)
{
	const struct wire_fault_peer *p;

	if (ctx->user_ip6[0] != 0 || ctx->user_ip6[1] != 0 || ctx->user_ip6[2] != MAPPED)
		return GO_ON;
	p = peer_behind(ctx->user_ip6[3], bpf_ntohs(ctx->user_port));
	if (p) {
		const uint32_t *word = (const uint32_t *)(const void *)p->address;

		ctx->user_ip6[0] = word[0];
		ctx->user_ip6[1] = word[1];
		ctx->user_ip6[2] = word[2];
		ctx->user_ip6[3] = word[3];
		ctx->user_port = p->port;
	}
	return GO_ON;
}

/* Children of who is watched, and what the agent starts. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	const bool of_agent = (uint32_t)parent->tgid == agent_tgid && parent->tgid != child->tgid;

	if (of_agent || watched_forks(parent, child))
		(void)watched_add((uint32_t)child->tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task)
{
	(void)watched_ends(task);
	return 0;
}
