// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Into the ring buffer: calls, and the stacks of their sites. A part of the one program (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_SAY_H
#define GAPSCOPE_BPF_SAY_H

#include "bpf/state.h"

static __always_inline bool tell(const void *what, uint64_t bytes)
{
	const bool told = bpf_ringbuf_output(&events, (void *)what, bytes, BPF_RB_NO_WAKEUP) == 0;

	count(told ? PROBE_COUNT_TOLD : PROBE_COUNT_FULL);
	return told;
}

static __always_inline bool tell_call(struct scratch *s)
{
	uint32_t len = s->call.data_len;

	if (len > PROBE_DATA)
		len = PROBE_DATA;
	return tell(&s->call, sizeof(s->call) + len);
}

static __always_inline bool is_power_of_two(uint32_t n)
{
	return (n & (n - 1)) == 0;
}

/* Is this site's stack to be told? At the 1st, 2nd, 4th, 8th … passage. */
static __always_inline bool site_due(uint32_t key)
{
	const uint32_t at = (key >> 7) & (PROBE_SITES - 1);

	if (site_keys[at] != key) {
		site_keys[at] = key;
		site_counts[at] = 0;
	}
	return is_power_of_two(++site_counts[at]);
}

/* A stack takes the room of many calls: it may have it while half of the ring buffer is free. */
static __always_inline bool stacks_have_room(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
}

static __noinline int tell_stack(void *ctx, const struct pt_regs *regs, uint32_t site)
{
	struct scratch *s = scratch_get();
	const uint64_t id = bpf_get_current_pid_tgid();
	const uint64_t sp = cpu_sp(regs);
	const uint64_t now = bpf_ktime_get_ns();
	uint64_t in_page = 4096 - (sp & 4095);
	long n;

	if (!s)
		return 0;
	if (!stacks_have_room()) {
		count(PROBE_COUNT_NO_STACK);
		return 0;
	}
	s->stack.call.kind = PROBE_STACK_SEEN;
	s->stack.call.tgid = id >> 32;
	s->stack.call.tid = (uint32_t)id;
	s->stack.call.site = site;
	s->stack.call.t0 = s->stack.call.t1 = now;
	s->stack.call.data_len = sizeof(s->stack.stack);
	cpu_unwind_regs(regs, s->stack.stack.regs);
	s->stack.stack.bytes_len = PROBE_STACK;
	if (bpf_probe_read_user(s->stack.stack.bytes, PROBE_STACK, (void *)sp) != 0) {
		/* Near the end of the stack: what is left of its page. */
		if (in_page > PROBE_STACK)
			in_page = PROBE_STACK;
		s->stack.stack.bytes_len = (uint32_t)in_page;
		if (bpf_probe_read_user(s->stack.stack.bytes, (uint32_t)in_page & 8191, (void *)sp) != 0)
			s->stack.stack.bytes_len = 0;
	}
	n = bpf_get_stack(ctx, s->stack.stack.pcs, sizeof(s->stack.stack.pcs), BPF_F_USER_STACK);
	s->stack.stack.frames = n > 0 ? (uint32_t)n / 8 : 0;
	/* Where there is no room for it, the next one that is due has to do. */
	if (bpf_ringbuf_output(&events, &s->stack, sizeof(s->stack), BPF_RB_NO_WAKEUP) != 0)
		count(PROBE_COUNT_NO_STACK);
	return 0;
}

/* What is told of anything but a system call begins so. NULL: there is no memory to say it with. */
static __always_inline struct scratch *tell_of(uint16_t kind, uint32_t tgid, uint32_t tid)
{
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	s->call.kind = kind;
	s->call.nr = 0;
	s->call.tgid = tgid;
	s->call.tid = tid;
	s->call.site = 0;
	s->call.t0 = s->call.t1 = bpf_ktime_get_ns();
	s->call.ret = 0;
	s->call.limit = -1;
	s->call.data_len = s->call.wanted = 0;
	s->call.fd_kind = s->call.tail = 0;
	return s;
}

#endif
