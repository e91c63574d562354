// SPDX-License-Identifier: Dual BSD/GPL
/*
 * What the probes keep: the constants that are set before they are loaded, the arrays that the agent maps too, and the places of
 * processes and threads in them. A part of the one program (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_STATE_H
#define GAPSCOPE_BPF_STATE_H

#include "bpf/kernel.h"
/* after the types */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/probe.h"

#if defined(__TARGET_ARCH_x86)
#include "bpf/cpu_x86_64.h"
#else
#error "which processor is this?"
#endif

/* enum wire_policy and enum wire_fd_kind: record.h is not for this compiler. Checked against it by agent/probes/probes.c. */
enum { POLICY_UNKNOWN, POLICY_NONE, POLICY_SIZES, POLICY_HEAD_256, POLICY_HEAD_1K, POLICY_HEAD_4K, POLICY_SINK, POLICY_HEAD_16K };
enum { KIND_SOCKET = 1, KIND_PIPE, KIND_FILE, KIND_TTY, KIND_OTHER };

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFIFO 0010000
#define S_IFCHR 0020000
#define MAJOR_TTY_FIRST 4U
#define MAJOR_TTY_LAST 5U
#define MAJOR_PTS_FIRST 136U
#define MAJOR_PTS_LAST 143U
#define RDEV_MINOR_BITS 20U
#define O_ACCMODE 3U
#define O_RDONLY 0U
#define O_APPEND 02000U
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define ERR_RESTART_FIRST (-516)
#define ERR_RESTART_LAST (-512)
#define ERR_INTR (-4)
#define NS_PER_S 1000000000LL
#define IOVEC_MAX 1024U

/* Set before the programs are loaded. */
const volatile struct probe_rule rules[PROBE_SYSCALLS];
const volatile uint32_t agent_tgid; /* its children are watched from their exec on */
const volatile uint64_t slow_ns;
const volatile uint32_t alloc_log[2 * PROBE_LOG_STEPS]; /* log2(1 + i / PROBE_LOG_STEPS), 16 bits behind the point */
const volatile uint8_t policy_socket, policy_stdio, policy_logfile, policy_pipe;

/* Shared with the agent. */
uint32_t process_tgid[PROBE_PROCESSES];       /* 0 = free */
uint32_t process_started[PROBE_PROCESSES];    /* 0 = forked by the agent, and not yet the program that is meant */
uint32_t process_generation[PROBE_PROCESSES]; /* counts programs: blocks of an earlier one are nobody's */
uint32_t process_rest[PROBE_PROCESSES];       /* the program of which nothing is told: what comes after it is another */
uint32_t process_known[PROBE_PROCESSES];      /* the program that the agent was told of */
uint8_t policies[PROBE_PROCESSES][PROBE_FDS];
uint64_t process_renewed[PROBE_PROCESSES];        /* when all its numbers were: at an exec */
uint64_t renewed[PROBE_PROCESSES][PROBE_RENEWED]; /* when a number was last given or taken back, CLOCK_MONOTONIC */
struct probe_slot slots[PROBE_THREADS];
uint32_t site_keys[PROBE_SITES];
uint32_t site_counts[PROBE_SITES];
uint64_t counts[PROBE_CPUS][PROBE_COUNTS];
uint8_t select_sets[PROBE_THREADS][3][PROBE_SET_BYTES];
uint32_t alloc_mean;     /* of the distance of samples; 0: allocations are not watched */
uint32_t alloc_measured; /* a process that is sampled though it is not watched: to know what it costs */
struct probe_alloc allocs[PROBE_THREADS];
uint64_t blocks[PROBE_BUCKETS][PROBE_WAYS]; /* sampled ones that are alive, 0 = free */

struct scratch {
	struct probe_call call;
	uint8_t data[2 * PROBE_DATA];
	struct {
		struct probe_call call;
		struct probe_stack stack;
	} stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline void count(uint32_t what)
{
	counts[bpf_get_smp_processor_id() & (PROBE_CPUS - 1)][what & (PROBE_COUNTS - 1)]++;
}

static __always_inline struct scratch *scratch_get(void)
{
	const uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratches, &cpu);
}

/* -- processes and threads: their places -- */

/* Index of a watched process, or PROBE_PROCESSES. */
static __always_inline uint32_t process_find(uint32_t tgid)
{
	for (uint32_t i = 0; i < PROBE_PLACES; i++) {
		const uint32_t at = (tgid + i) & (PROBE_PROCESSES - 1);

		if (process_tgid[at] == tgid)
			return at;
	}
	return PROBE_PROCESSES;
}

/* volatile: or else clang makes a call of memset out of it. */
static __always_inline void policies_clear(uint32_t process)
{
	volatile uint64_t *row = (volatile uint64_t *)(void *)policies[process & (PROBE_PROCESSES - 1)];

	process_renewed[process & (PROBE_PROCESSES - 1)] = bpf_ktime_get_ns();
	for (uint32_t i = 0; i < PROBE_FDS / 8; i++)
		row[i] = 0;
}

/* Is it to be told what this process, with that place, does? */
static __always_inline bool process_is_told(uint32_t process)
{
	const uint32_t at = process & (PROBE_PROCESSES - 1);

	return process_started[at] && process_rest[at] != process_generation[at];
}

/* Was it told that this program began? Until then its calls would be nobody's. */
static __always_inline bool process_is_known(uint32_t process)
{
	const uint32_t at = process & (PROBE_PROCESSES - 1);

	return process_known[at] == process_generation[at];
}

static __always_inline void process_knows(uint32_t process, bool told)
{
	const uint32_t at = process & (PROBE_PROCESSES - 1);

	if (told)
		process_known[at] = process_generation[at];
}

/* Its place, or PROBE_PROCESSES. `parent`: the place of the one that it is a copy of, or PROBE_PROCESSES. */
static __always_inline uint32_t process_add(uint32_t tgid, uint32_t parent)
{
	const uint32_t from = parent & (PROBE_PROCESSES - 1);

	for (uint32_t i = 0; i < PROBE_PLACES; i++) {
		const uint32_t at = (tgid + i) & (PROBE_PROCESSES - 1);

		if (process_tgid[at] == 0 && __sync_val_compare_and_swap(&process_tgid[at], 0, tgid) == 0) {
			policies_clear(at);
			process_generation[at]++;
			process_rest[at] = parent != PROBE_PROCESSES && process_rest[from] == process_generation[from]
						   ? process_generation[at]
						   : 0;
			process_started[at] = parent != PROBE_PROCESSES ? process_started[from] : 0;
			return at;
		}
	}
	count(PROBE_COUNT_NO_PROCESS);
	return PROBE_PROCESSES;
}

static __always_inline uint32_t slot_find(uint32_t tid)
{
	for (uint32_t i = 0; i < PROBE_PLACES; i++) {
		const uint32_t at = (tid + i) & (PROBE_THREADS - 1);

		if (slots[at].tid == tid)
			return at;
	}
	return PROBE_THREADS;
}

__noinline uint32_t slot_claim(uint32_t tid)
{
	for (uint32_t i = 0; i < PROBE_PLACES; i++) {
		const uint32_t at = (tid + i) & (PROBE_THREADS - 1);

		if (slots[at].tid == 0 && __sync_val_compare_and_swap(&slots[at].tid, 0, tid) == 0)
			return at;
	}
	count(PROBE_COUNT_NO_SLOT);
	return PROBE_THREADS;
}

#endif
