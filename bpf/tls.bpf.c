// SPDX-License-Identifier: Dual BSD/GPL
/*
 * What goes through TLS libraries that are part of a program, where the shim has no slot to hook (Node). The probes stand at the beginning of
 * a library's functions and at each of their returns (agent/ingest/returns.c): never at a return address.
 *
 * They stand in a program's file, so others who run it pass them, too, and are sent on by one look into a table. Children of a watched process
 * are watched. Nothing stands on the way of a system call.
 */
#include "bpf/kernel.h"
/* after the types */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/cpu_x86_64.h"
#include "bpf/tls.h"
#include "bpf/watched.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

uint64_t counts[TLS_COUNTS];

/* A call that has not returned: where its bytes are, or will be. */
struct call {
	uint64_t session, buffer, t0;
	uint64_t told_at; /* of the _ex kind: where it says how many */
	uint64_t what;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_CALLS);
	__type(key, uint64_t); /* process and thread */
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TLS_RING_BYTES);
} events SEC(".maps");

static __always_inline void count(uint32_t what)
{
	__sync_fetch_and_add(&counts[what], 1);
}

/* `room` is a constant of the caller's. */
static __always_inline void tell(const struct call *of, uint64_t bytes, uint64_t random_at, const uint32_t room)
{
	struct told {
		struct tls_said said;
		uint8_t bytes[];
	} *to = bpf_ringbuf_reserve(&events, sizeof(struct told) + room, 0);
	const uint64_t id = bpf_get_current_pid_tgid();
	uint32_t n = bytes < room ? (uint32_t)bytes : room;

	if (!to) {
		count(TLS_FULL);
		return;
	}
	asm volatile("" : "+r"(n)); /* or else the compiler, which knows, drops the check that the kernel's verifier wants to see */
	if (n > room || (n > 0 && bpf_probe_read_user(to->bytes, n, (void *)of->buffer) != 0)) {
		count(TLS_UNREADABLE);
		n = 0;
	}
	to->said.what = (uint32_t)of->what;
	to->said.tgid = id >> 32;
	to->said.tid = (uint32_t)id;
	to->said.data_len = n;
	to->said.t0 = of->t0;
	to->said.t1 = bpf_ktime_get_ns();
	to->said.session = of->session;
	to->said.bytes = bytes;
	if (!random_at || bpf_probe_read_user(to->said.random, TLS_RANDOM, (void *)(of->session + random_at)) != 0)
		__builtin_memset(to->said.random, 0, TLS_RANDOM);
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	count(TLS_TOLD);
}

static __always_inline void begins(const struct pt_regs *regs, uint64_t id, uint64_t what)
{
	uint64_t args[6];
	struct call c = {.t0 = bpf_ktime_get_ns(), .what = what};

	cpu_args(regs, args);
	c.session = args[0];
	c.buffer = args[1];
	c.told_at = cpu_c_arg3(regs);
	if (what == TLS_PROBE_FREE) {
		if (c.session)
			tell(&c, 0, 0, 0);
		return;
	}
	bpf_map_update_elem(&calls, &id, &c, BPF_ANY);
}

static __always_inline void returns(const struct pt_regs *regs, uint64_t id, uint64_t what, uint64_t random_at)
{
	struct call *of = bpf_map_lookup_elem(&calls, &id);
	const int result = (int)cpu_c_result(regs);
	uint64_t bytes = 0;
	struct call c;

	if (!of)
		return;
	c = *of;
	bpf_map_delete_elem(&calls, &id);
	if (c.what != what || result <= 0) /* another call began inside of this one */
		return;
	if (what == TLS_PROBE_READ || what == TLS_PROBE_WRITE)
		bytes = (uint64_t)result;
	else
		bpf_probe_read_user(&bytes, sizeof(bytes), (void *)c.told_at);
	/* They are told in full room, which is given back only when they are read: small ones take little. */
	if (!bytes)
		return;
	if (bytes <= TLS_PLAIN_FEW)
		tell(&c, bytes, random_at, TLS_PLAIN_FEW);
	else
		tell(&c, bytes, random_at, TLS_PLAIN);
}

SEC("uprobe")
int on_tls(struct pt_regs *regs)
{
	const uint64_t id = bpf_get_current_pid_tgid(), cookie = bpf_get_attach_cookie(regs);

	if (!is_watched(id >> 32))
		return 0;
	if (cookie & TLS_PROBE_DONE)
		returns(regs, id, cookie & TLS_PROBE_WHAT, cookie >> TLS_PROBE_RANDOM_SHIFT);
	else
		begins(regs, id, cookie & TLS_PROBE_WHAT);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (watched_forks(parent, child))
		(void)watched_add((uint32_t)child->tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task)
{
	(void)watched_ends(task);
	return 0;
}
