// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Allocations of programs that have their allocator linked into themselves: sampled by bytes, as preload/alloc.c does it. One program stands
 * at the beginning of the allocator's functions (enum probe_alloc_what is its cookie), one at their returns. Each call costs traps into the
 * kernel, so the agent measures and says what that is, before (agent/probes/alloc_cost.c).
 *
 * A thread's numbers have the place of its slot, and only it writes them. It may be preempted: no scratch. A part of the one program
 * (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_ALLOC_H
#define GAPSCOPE_BPF_ALLOC_H

#include "bpf/say.h"
#include "bpf/state.h"

#define ALLOC_POINT 16U        /* bits behind the point of alloc_log */
#define ALLOC_LN2 45426U       /* ln 2, with so many */
#define ALLOC_STEP_BITS 25U    /* of a fraction of 31 bits, what is left behind the table's step */
#define ALLOC_ADDRESS_BITS 48U /* of a block's address */
#define ALLOC_STALE (1U << 20) /* a call that is so far up the stack did not end as functions do */

/* -- sampled blocks: address, the process's place and its generation in one word -- */

static __always_inline uint64_t block_word(uint32_t process, uint64_t block)
{
	const uint32_t at = process & (PROBE_PROCESSES - 1);

	return (block & ((1ULL << ALLOC_ADDRESS_BITS) - 1)) | (uint64_t)at << ALLOC_ADDRESS_BITS |
	       (uint64_t)process_generation[at] << 56;
}

static __always_inline uint32_t block_bucket(uint64_t word)
{
	return (uint32_t)((word >> 4) * 0x9e3779b97f4a7c15ULL >> 51) & (PROBE_BUCKETS - 1);
}

/* Free, or of a program that is no more. */
static __always_inline bool block_is_stale(uint64_t word)
{
	const uint32_t at = (uint32_t)(word >> ALLOC_ADDRESS_BITS) & (PROBE_PROCESSES - 1);

	return word == 0 || process_tgid[at] == 0 || (uint8_t)(word >> 56) != (uint8_t)process_generation[at];
}

static __always_inline bool block_add(uint64_t word)
{
	const uint32_t b = block_bucket(word);

	for (uint32_t i = 0; i < PROBE_WAYS; i++) {
		const uint64_t is = blocks[b][i];

		if (is == word) /* its end was not seen */
			return true;
		if (block_is_stale(is) && __sync_val_compare_and_swap(&blocks[b][i], is, word) == is)
			return true;
	}
	count(PROBE_COUNT_NO_BLOCK);
	return false;
}

static __always_inline bool block_take(uint64_t word)
{
	const uint32_t b = block_bucket(word);

	for (uint32_t i = 0; i < PROBE_WAYS; i++)
		if (blocks[b][i] == word && __sync_val_compare_and_swap(&blocks[b][i], word, 0) == word)
			return true;
	return false;
}

/* -- distances -- */

/* The number of the highest bit: the kernel's machine has no instruction for it. */
static __always_inline uint32_t top_bit(uint32_t u)
{
	uint32_t top = 0;

	for (uint32_t half = 16; half; half >>= 1) {
		if (u >> half) {
			u >>= half;
			top += half;
		}
	}
	return top;
}

/* Exponential: -ln u for u of 32 random bits, its logarithm by a table and a straight line between its steps. */
static __always_inline uint64_t alloc_draw(uint32_t mean)
{
	const uint32_t u = bpf_get_prandom_u32() | 1;
	const uint32_t top = top_bit(u);
	const uint32_t fraction = (u << (31U - top)) & 0x7fffffffU;
	const uint32_t step = (fraction >> ALLOC_STEP_BITS) & (PROBE_LOG_STEPS - 1);
	const uint64_t low = alloc_log[step], high = alloc_log[step + 1];
	const uint64_t log = ((uint64_t)top << ALLOC_POINT) + low +
			     ((high - low) * (fraction & ((1U << ALLOC_STEP_BITS) - 1)) >> ALLOC_STEP_BITS);

	return ((((32ULL << ALLOC_POINT) - log) * ALLOC_LN2 >> ALLOC_POINT) * mean >> ALLOC_POINT) + 1;
}

/* -- records -- */

static __always_inline void alloc_head(struct probe_call *c, uint16_t kind, uint32_t site)
{
	const uint64_t id = bpf_get_current_pid_tgid();

	__builtin_memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->tgid = id >> 32;
	c->tid = (uint32_t)id;
	c->site = site;
	c->t0 = c->t1 = bpf_ktime_get_ns();
	c->limit = -1;
}

/* The stack of a sample goes in front of it; its site is the thread's, and means each time the stack that came last. */
static __always_inline uint32_t alloc_site(uint32_t tid)
{
	return ((tid * 0x9e3779b1U) ^ 0xa110c000U) | 1;
}

static __noinline int tell_alloc_stack(void *ctx, const struct pt_regs *regs, uint32_t tid)
{
	struct {
		struct probe_call call;
		struct probe_stack stack;
	} *to = bpf_ringbuf_reserve(&events, sizeof(*to), 0);
	const uint64_t sp = cpu_sp(regs);
	uint64_t in_page = 4096 - (sp & 4095);
	long n;

	if (!to) {
		count(PROBE_COUNT_FULL);
		return 0;
	}
	alloc_head(&to->call, PROBE_STACK_SEEN, alloc_site(tid));
	to->call.data_len = sizeof(to->stack);
	cpu_unwind_regs(regs, to->stack.regs);
	to->stack.bytes_len = PROBE_STACK;
	if (bpf_probe_read_user(to->stack.bytes, PROBE_STACK, (void *)sp) != 0) {
		/* Near the end of the stack: what is left of its page. */
		if (in_page > PROBE_STACK)
			in_page = PROBE_STACK;
		to->stack.bytes_len = (uint32_t)in_page;
		if (bpf_probe_read_user(to->stack.bytes, (uint32_t)in_page & 8191, (void *)sp) != 0)
			to->stack.bytes_len = 0;
	}
	n = bpf_get_stack(ctx, to->stack.pcs, sizeof(to->stack.pcs), BPF_F_USER_STACK);
	to->stack.frames = n > 0 ? (uint32_t)n / 8 : 0;
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	return 1;
}

static __always_inline void tell_free(uint64_t block, uint64_t at_ns)
{
	struct probe_call c;

	alloc_head(&c, PROBE_FREE, 0);
	c.args[0] = block;
	if (at_ns)
		c.t0 = c.t1 = at_ns;
	count(bpf_ringbuf_output(&events, &c, sizeof(c), BPF_RB_NO_WAKEUP) == 0 ? PROBE_COUNT_TOLD : PROBE_COUNT_NO_FREE);
}

static __always_inline void tell_alloc(struct probe_alloc *a, uint32_t process, uint64_t block)
{
	const uint64_t word = block_word(process, block);
	const bool kept = block_add(word);
	struct probe_call c;

	alloc_head(&c, PROBE_ALLOC, alloc_site(a->tid));
	c.args[0] = block;
	c.args[1] = a->bytes;
	c.args[2] = a->mean;
	c.args[3] = !kept;
	c.ret = (int64_t)a->carry;
	if (bpf_ringbuf_output(&events, &c, sizeof(c), BPF_RB_NO_WAKEUP) == 0) {
		count(PROBE_COUNT_TOLD);
		a->carry = 0;
	} else {
		count(PROBE_COUNT_FULL);
		if (kept)
			(void)block_take(word);
	}
}

/* The thread with this slot ends. */
static __always_inline void tell_alloc_rest(uint32_t tgid, uint32_t tid, uint32_t at)
{
	struct probe_alloc *a = &allocs[at & (PROBE_THREADS - 1)];
	struct scratch *s;

	if (a->tid != tid)
		return;
	a->tid = 0;
	s = tell_of(PROBE_ALLOC_REST, tgid, tid);
	if (!s)
		return;
	s->call.ret = (int64_t)(a->carry + a->gap - a->left);
	tell_call(s);
}

/* -- calls -- */

/* As what a process is this one sampled? PROBE_PROCESSES: it is not. */
static __always_inline uint32_t alloc_process(void)
{
	const uint32_t tgid = bpf_get_current_pid_tgid() >> 32;
	const uint32_t process = process_find(tgid);

	if (process != PROBE_PROCESSES && process_is_told(process) && process_is_known(process))
		return process;
	return tgid == alloc_measured ? 0 : PROBE_PROCESSES;
}

/* A product that does not fit fails in the allocator: it is counted as nothing. */
static __always_inline uint64_t alloc_product(uint64_t n, uint64_t each)
{
	uint64_t most = each ? ~0ULL / each : 0;

	asm volatile("" : "+r"(most)); /* or else the compiler makes a product of 128 bits of it, which this machine has not */
	return n > most ? 0 : n * each;
}

static __always_inline uint64_t alloc_bytes(uint32_t what, const uint64_t *args)
{
	switch (what) {
	case ALLOC_MALLOC:
		return args[0];
	case ALLOC_CALLOC:
		return alloc_product(args[0], args[1]);
	case ALLOC_POSIX:
		return args[2];
	default:
		return args[1];
	}
}

/* The distance ran out with the call that begins. */
static __always_inline void alloc_due(struct probe_alloc *a, uint32_t mean)
{
	a->carry += a->gap - a->left - a->bytes; /* whether these are given shows at the return */
	a->mean = a->next_mean;
	a->next_mean = mean; /* the agent may have changed it */
	a->gap = alloc_draw(mean);
	a->left = a->gap;
	a->due = 1;
}

SEC("uprobe")
int on_alloc(struct pt_regs *regs)
{
	const uint32_t process = alloc_process(), mean = alloc_mean, what = (uint32_t)bpf_get_attach_cookie(regs);
	const uint64_t id = bpf_get_current_pid_tgid(), sp = cpu_sp(regs);
	const uint32_t tid = (uint32_t)id;
	struct probe_alloc *a;
	uint64_t args[6];
	uint32_t at;

	if (process == PROBE_PROCESSES || !mean)
		return 0;
	cpu_args(regs, args);
	if (what == ALLOC_FREE) {
		if (args[0] && block_take(block_word(process, args[0])))
			tell_free(args[0], 0);
		return 0;
	}
	at = slot_find(tid);
	if (at == PROBE_THREADS) {
		at = slot_claim(tid);
		if (at == PROBE_THREADS)
			return 0;
		slots[at & (PROBE_THREADS - 1)].tgid = id >> 32;
	}
	a = &allocs[at & (PROBE_THREADS - 1)];
	if (a->tid != tid) {
		a->tid = tid;
		a->sp = a->carry = 0;
		a->next_mean = mean;
		a->gap = a->left = alloc_draw(mean);
	}
	if (a->sp && sp < a->sp && a->sp - sp < ALLOC_STALE)
		return 0;
	a->sp = sp;
	a->what = (uint8_t)what;
	a->due = a->told = 0;
	a->t0 = bpf_ktime_get_ns();
	a->result = args[0];
	a->old = what == ALLOC_REALLOC && args[0] && block_take(block_word(process, args[0])) ? args[0] : 0;
	a->bytes = alloc_bytes(what, args);
	if (a->bytes > ~0ULL >> 1) /* what no allocator gives would turn the count around */
		a->bytes = 0;
	a->left -= a->bytes;
	if ((int64_t)a->left < 0) {
		alloc_due(a, mean);
		a->told = (uint8_t)tell_alloc_stack(regs, regs, tid);
	}
	return 0;
}

SEC("uretprobe")
int on_alloc_done(struct pt_regs *regs)
{
	const uint32_t process = alloc_process();
	const uint32_t at = slot_find((uint32_t)bpf_get_current_pid_tgid());
	uint64_t given = cpu_result(regs);
	struct probe_alloc *a;

	if (process == PROBE_PROCESSES || at == PROBE_THREADS)
		return 0;
	a = &allocs[at & (PROBE_THREADS - 1)];
	if (!a->sp || a->sp + 8 != cpu_sp(regs))
		return 0;
	a->sp = 0;
	if (a->what == ALLOC_POSIX && (given != 0 || bpf_probe_read_user(&given, sizeof(given), (void *)a->result) != 0))
		given = 0;
	if (a->old && !given && a->bytes)
		(void)block_add(block_word(process, a->old));
	else if (a->old)
		tell_free(a->old, a->t0);
	if (!a->due || !given)
		return 0;
	a->carry += a->bytes;
	if (a->told)
		tell_alloc(a, process, given);
	return 0;
}

#endif
