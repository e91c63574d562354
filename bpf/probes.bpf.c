// SPDX-License-Identifier: Dual BSD/GPL
/*
 * The probes: what watched processes do, seen from the kernel, for programs that the shim cannot enter.
 *
 * Two programs see each system call of the machine and leave at once where the process is not watched: four comparisons in a small array.
 * No hash table on the way: processes and threads have places in arrays, found by their number. The agent maps these arrays: it
 * enters processes, sets policies, and reads which calls are under way. What cannot be told is counted by cause, always.
 *
 * Functions that are neither static nor inline are checked by the kernel's verifier once, whatever their callers know: keep the large ones so.
 * Programs of this kind run without preemption, so one scratch buffer for each processor is enough.
 */
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* enum wire_policy and enum wire_fd_kind: record.h is not for this compiler. Checked against it by agent/probes/probes.c. */
enum { POLICY_UNKNOWN, POLICY_NONE, POLICY_SIZES, POLICY_HEAD_256, POLICY_HEAD_1K, POLICY_HEAD_4K, POLICY_SINK };
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
const volatile uint8_t policy_socket, policy_stdio, policy_logfile, policy_pipe;

/* Shared with the agent. */
uint32_t process_tgid[PROBE_PROCESSES];    /* 0 = free */
uint32_t process_started[PROBE_PROCESSES]; /* 0 = forked by the agent, and not yet the program that is meant */
uint8_t policies[PROBE_PROCESSES][PROBE_FDS];
struct probe_slot slots[PROBE_THREADS];
uint32_t site_keys[PROBE_SITES];
uint32_t site_counts[PROBE_SITES];
uint64_t counts[PROBE_CPUS][PROBE_COUNTS];
uint8_t select_sets[PROBE_THREADS][3][PROBE_SET_BYTES];

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

	for (uint32_t i = 0; i < PROBE_FDS / 8; i++)
		row[i] = 0;
}

static __always_inline bool process_add(uint32_t tgid, uint32_t started)
{
	for (uint32_t i = 0; i < PROBE_PLACES; i++) {
		const uint32_t at = (tgid + i) & (PROBE_PROCESSES - 1);

		if (process_tgid[at] == 0 && __sync_val_compare_and_swap(&process_tgid[at], 0, tgid) == 0) {
			policies_clear(at);
			process_started[at] = started;
			return true;
		}
	}
	count(PROBE_COUNT_NO_PROCESS);
	return false;
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

/* -- out -- */

static __always_inline void tell(const void *what, uint64_t bytes)
{
	count(bpf_ringbuf_output(&events, (void *)what, bytes, BPF_RB_NO_WAKEUP) == 0 ? PROBE_COUNT_TOLD : PROBE_COUNT_FULL);
}

static __always_inline void tell_call(struct scratch *s)
{
	uint32_t len = s->call.data_len;

	if (len > PROBE_DATA)
		len = PROBE_DATA;
	tell(&s->call, sizeof(s->call) + len);
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
	if (bpf_ringbuf_output(&events, &s->stack, sizeof(s->stack), BPF_RB_NO_WAKEUP) != 0) {
		/* Its next passage is a first one again. */
		site_keys[(site >> 7) & (PROBE_SITES - 1)] = 0;
		count(PROBE_COUNT_NO_STACK);
	}
	return 0;
}

/* -- descriptors -- */

static __always_inline struct file *file_of(int fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct files_struct *files = task->files;
	struct file **table;
	struct file *file = 0;
	struct fdtable *fdt;

	if (!files || fd < 0)
		return 0;
	fdt = files->fdt;
	if (!fdt || (uint32_t)fd >= fdt->max_fds)
		return 0;
	table = fdt->fd;
	bpf_probe_read_kernel(&file, sizeof(file), &table[fd]);
	return file;
}

static __always_inline uint8_t kind_of(uint32_t mode, uint32_t rdev)
{
	const uint32_t major = rdev >> RDEV_MINOR_BITS;

	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return KIND_SOCKET;
	case S_IFIFO:
		return KIND_PIPE;
	case S_IFREG:
		return KIND_FILE;
	case S_IFCHR:
		return (major >= MAJOR_TTY_FIRST && major <= MAJOR_TTY_LAST) ||
				       (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST)
			       ? KIND_TTY
			       : KIND_OTHER;
	default:
		return KIND_OTHER;
	}
}

/* A descriptor that is seen for the first time: what it is, and what of it is to be copied. */
__noinline uint32_t classify(struct scratch *s, int fd)
{
	struct file *file = file_of(fd);
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : 0;
	const uint32_t flags = file ? BPF_CORE_READ(file, f_flags) : 0;
	uint32_t policy = POLICY_NONE;
	uint8_t kind;

	if (!s || !inode)
		return POLICY_SIZES;
	kind = kind_of(BPF_CORE_READ(inode, i_mode), BPF_CORE_READ(inode, i_rdev));
	if (kind == KIND_SOCKET)
		policy = policy_socket;
	else if (kind == KIND_PIPE)
		policy = policy_pipe;
	else if (kind == KIND_FILE && (flags & O_ACCMODE) != O_RDONLY && (flags & O_APPEND))
		policy = policy_logfile;
	if ((fd == 1 || fd == 2) && kind != KIND_TTY && kind != KIND_OTHER)
		policy = policy_stdio;
	s->call.fd_kind = kind;
	s->call.fd_flags = flags;
	return policy;
}

/* Where a descriptor's policy stands. Said in assembler: the compiler drops a mask that it knows to be of no effect, and the kernel's verifier
 * does not know what the compiler does. */
static __always_inline uint8_t *policy_at(uint32_t process, int fd)
{
	uint32_t at = (uint32_t)fd;

	asm volatile("%0 &= %1" : "+r"(at) : "i"(PROBE_FDS - 1));
	asm volatile("%0 &= %1" : "+r"(process) : "i"(PROBE_PROCESSES - 1));
	return &policies[process][at];
}

static __always_inline uint8_t policy_of(struct scratch *s, uint32_t process, int fd)
{
	uint8_t policy;

	if ((uint32_t)fd >= PROBE_FDS)
		return (uint8_t)classify(s, fd);
	policy = *policy_at(process, fd);
	if (policy == POLICY_UNKNOWN) {
		policy = (uint8_t)classify(s, fd);
		*policy_at(process, fd) = policy;
	}
	return policy;
}

static __always_inline void policy_set(uint32_t process, int fd, uint8_t policy)
{
	if ((uint32_t)fd < PROBE_FDS)
		*policy_at(process, fd) = policy;
}

static __always_inline uint32_t policy_bytes(uint8_t policy)
{
	switch (policy) {
	case POLICY_HEAD_256:
		return 256;
	case POLICY_HEAD_1K:
		return 1024;
	case POLICY_HEAD_4K:
		return 4096;
	case POLICY_SINK:
		return PROBE_DATA;
	default:
		return 0;
	}
}

/* -- copying a call's memory -- */

static __always_inline void copy_fixed(struct scratch *s, uint64_t from, uint32_t bytes, uint32_t most)
{
	uint32_t n = bytes < most ? bytes : most;

	s->call.wanted = bytes;
	if (n == 0 || from == 0)
		return;
	if (n > PROBE_DATA)
		n = PROBE_DATA;
	if (bpf_probe_read_user(s->data, n, (void *)from) == 0)
		s->call.data_len = n;
	else
		count(PROBE_COUNT_UNREADABLE);
}

struct user_iovec {
	uint64_t base, len;
};

struct user_msghdr {
	uint64_t name;
	uint32_t name_len, pad;
	uint64_t iov, iov_n, control, control_len;
	uint32_t flags, pad2;
};

/* Up to `most` bytes of `bytes` that went through several buffers. */
__noinline int copy_vector(struct scratch *s, uint64_t iov, uint64_t pieces, uint32_t bytes, uint32_t most)
{
	uint32_t left = bytes < most ? bytes : most;
	uint32_t at = 0;

	if (!s)
		return 0;
	s->call.wanted = left;
	for (uint32_t i = 0; i < PROBE_IOVECS && i < pieces && left > 0; i++) {
		struct user_iovec v;
		uint32_t n;

		if (bpf_probe_read_user(&v, sizeof(v), (void *)(iov + i * sizeof(v))) != 0)
			goto unreadable;
		n = v.len < left ? (uint32_t)v.len : left;
		if (n == 0)
			continue;
		if (n > PROBE_DATA || at > PROBE_DATA)
			break;
		if (bpf_probe_read_user(s->data + at, n, (void *)v.base) != 0)
			goto unreadable;
		at += n;
		left -= n;
	}
	s->call.data_len = at;
	return 0;
unreadable:
	s->call.data_len = at;
	count(PROBE_COUNT_UNREADABLE);
	return 0;
}

static __always_inline void copy_message(struct scratch *s, uint64_t from, uint32_t bytes, uint32_t most)
{
	struct user_msghdr m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)from) != 0)
		count(PROBE_COUNT_UNREADABLE);
	else
		copy_vector(s, m.iov, m.iov_n, bytes, most);
	s->call.args[3] = m.name;
	s->call.args[4] = m.name_len;
}

/* What a call offers: its bytes even if the kernel took fewer. */
static __always_inline void copy_messages(struct scratch *s, uint64_t from, int64_t messages, uint32_t most)
{
	struct {
		struct user_msghdr m;
		uint32_t bytes, pad;
	} first;
	uint64_t sum = 0;

	if (messages <= 0)
		return;
	if (bpf_probe_read_user(&first, sizeof(first), (void *)from) != 0) {
		count(PROBE_COUNT_UNREADABLE);
		return;
	}
	copy_vector(s, first.m.iov, first.m.iov_n, first.bytes, most);
	for (uint32_t i = 0; i < PROBE_POLL && i < messages; i++) {
		uint32_t n = 0;

		bpf_probe_read_user(&n, sizeof(n), (void *)(from + i * sizeof(first) + sizeof(first.m)));
		sum += n;
	}
	s->call.args[5] = sum;
}

/* The caller of accept need not ask for the peer: the kernel knows. struct sockaddr_in or sockaddr_in6. */
static __always_inline void copy_accepted(struct scratch *s, int fd)
{
	struct file *file = file_of(fd);
	struct socket *socket = file ? BPF_CORE_READ(file, private_data) : 0;
	struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : 0;
	const uint16_t family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	__builtin_memset(s->data, 0, 28);
	*(uint16_t *)(void *)s->data = family;
	*(uint16_t *)(void *)(s->data + 2) = sk ? BPF_CORE_READ(sk, __sk_common.skc_dport) : 0;
	if (family == AF_INET) {
		*(uint32_t *)(void *)(s->data + 4) = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		s->call.data_len = 16;
	} else if (family == AF_INET6) {
		BPF_CORE_READ_INTO(s->data + 8, sk, __sk_common.skc_v6_daddr);
		s->call.data_len = 28;
	} else if (family) {
		s->call.data_len = 2;
	}
	s->call.wanted = s->call.data_len;
}

static __always_inline void copy_select(struct scratch *s, uint32_t at)
{
	struct probe_select *to = (struct probe_select *)(void *)s->data;

	__builtin_memcpy(to->asked, select_sets[at & (PROBE_THREADS - 1)], sizeof(to->asked));
	__builtin_memset(to->answered, 0, sizeof(to->answered));
	for (uint32_t i = 0; i < 3; i++)
		if (s->call.args[1 + i])
			bpf_probe_read_user(to->answered[i], PROBE_SET_BYTES, (void *)s->call.args[1 + i]);
	s->call.data_len = s->call.wanted = sizeof(*to);
}

static __always_inline void copy_path(struct scratch *s)
{
	const long n = bpf_probe_read_user_str(s->data, PROBE_PATH, (void *)s->call.args[1]);

	if (n > 0)
		s->call.data_len = (uint32_t)n - 1;
	else
		count(PROBE_COUNT_UNREADABLE);
	s->call.wanted = s->call.data_len;
}

__noinline int copy_memory(struct scratch *s, uint32_t how, uint32_t at, uint32_t most)
{
	const int64_t ret = s ? s->call.ret : 0;
	const uint32_t got = ret > 0 ? (ret < 0x7fffffff ? (uint32_t)ret : 0x7fffffff) : 0;
	uint32_t n;

	if (!s)
		return 0;
	switch (how) {
	case COPY_BUFFER:
		n = s->call.args[2] < got ? (uint32_t)s->call.args[2] : got;
		copy_fixed(s, s->call.args[1], n, most);
		if (s->call.wanted > most)
			s->call.wanted = most;
		break;
	case COPY_VECTOR:
		copy_vector(s, s->call.args[1], s->call.args[2], got, most);
		break;
	case COPY_MESSAGE:
		copy_message(s, s->call.args[1], got, most);
		break;
	case COPY_MESSAGES:
		copy_messages(s, s->call.args[1], ret, most);
		break;
	case COPY_ADDRESS:
		copy_fixed(s, s->call.args[1], (uint32_t)s->call.args[2], 128);
		break;
	case COPY_ACCEPTED:
		copy_accepted(s, (int)ret);
		break;
	case COPY_POLL:
		copy_fixed(s, s->call.args[0], s->call.args[1] < 65536 ? (uint32_t)s->call.args[1] * 8 : 65536, PROBE_POLL * 8);
		break;
	case COPY_SELECT:
		copy_select(s, at);
		break;
	case COPY_OPTION:
		copy_fixed(s, s->call.args[3], (uint32_t)s->call.args[4], 16);
		break;
	case COPY_EPOLL_EVENT:
		if (s->call.args[3])
			copy_fixed(s, s->call.args[3], 12, 12);
		break;
	case COPY_EPOLL_READY:
		copy_fixed(s, s->call.args[1], got < 65536 ? got * 12 : 65536, PROBE_POLL * 12);
		break;
	case COPY_PATH:
		copy_path(s);
		break;
	case COPY_ARG0_8:
		copy_fixed(s, s->call.args[0], 8, 8);
		break;
	case COPY_ARG1_4:
		if (s->call.args[1])
			copy_fixed(s, s->call.args[1], 4, 4);
		break;
	case COPY_ARG1_16:
		if (s->call.args[1])
			copy_fixed(s, s->call.args[1], 16, 16);
		break;
	case COPY_ARG1_32:
		copy_fixed(s, s->call.args[1], 32, 32);
		break;
	case COPY_ARG2_32:
		copy_fixed(s, s->call.args[2], 32, 32);
		break;
	case COPY_ARG2_4:
		copy_fixed(s, s->call.args[2], 4, 4);
		break;
	case COPY_ARG3_4:
		copy_fixed(s, s->call.args[3], 4, 4);
		break;
	case COPY_ARG3_8:
		copy_fixed(s, s->call.args[3], 8, 8);
		break;
	default:
		break;
	}
	return 0;
}

/* -- the limit of a wait, as it is entered: the kernel may change what the caller's memory says -- */

__noinline int64_t limit_read(uint64_t from, uint32_t per_s)
{
	struct {
		int64_t s, part;
	} t;

	if (!from || bpf_probe_read_user(&t, sizeof(t), (void *)from) != 0)
		return -1;
	if (t.s < 0 || t.part < 0)
		return 0;
	if (t.s > 4000000000LL)
		return 0x7fffffffffffffffLL;
	return t.s * NS_PER_S + t.part * per_s;
}

static __always_inline int64_t limit_of(uint32_t how, const uint64_t *args)
{
	switch (how) {
	case LIMIT_MS_ARG2:
		return (int32_t)args[2] < 0 ? -1 : (int64_t)(int32_t)args[2] * 1000000;
	case LIMIT_MS_ARG3:
		return (int32_t)args[3] < 0 ? -1 : (int64_t)(int32_t)args[3] * 1000000;
	case LIMIT_SPEC_ARG0:
		return limit_read(args[0], 1);
	case LIMIT_SPEC_ARG2:
		return limit_read(args[2], 1);
	case LIMIT_SPEC_ARG3:
		return limit_read(args[3], 1);
	case LIMIT_SPEC_ARG4:
		return limit_read(args[4], 1);
	case LIMIT_VAL_ARG4:
		return limit_read(args[4], 1000);
	default:
		return -1;
	}
}

/* -- system calls -- */

static __noinline int tell_connecting(const struct probe_slot *slot)
{
	struct scratch *s = scratch_get();

	if (!s || !slot)
		return 0;
	s->call.kind = PROBE_CONNECTING;
	s->call.nr = slot->nr;
	s->call.tgid = slot->tgid;
	s->call.tid = slot->tid;
	s->call.site = slot->site;
	s->call.t0 = s->call.t1 = slot->t0;
	s->call.ret = 0;
	s->call.args[0] = slot->args[0];
	s->call.limit = -1;
	s->call.fd_kind = 0;
	s->call.data_len = 0;
	copy_fixed(s, slot->args[1], (uint32_t)slot->args[2], 28);
	tell_call(s);
	return 0;
}

/* A close is told when it begins: once it is done the number may be another descriptor's already, whose beginning must not come first. */
static __noinline int tell_closing(const struct probe_slot *slot, uint32_t process)
{
	struct scratch *s = scratch_get();

	if (!s || !slot)
		return 0;
	policy_set(process, (int)slot->args[0], POLICY_UNKNOWN);
	s->call.kind = PROBE_CALL;
	s->call.nr = slot->nr;
	s->call.tgid = slot->tgid;
	s->call.tid = slot->tid;
	s->call.site = slot->site;
	s->call.t0 = s->call.t1 = slot->t0;
	s->call.ret = 0;
	s->call.args[0] = slot->args[0];
	s->call.limit = -1;
	s->call.policy = POLICY_SIZES;
	s->call.fd_kind = 0;
	s->call.data_len = 0;
	s->call.wanted = 0;
	tell_call(s);
	return 0;
}

static __noinline int note_sets(uint32_t at, const uint64_t *args)
{
	if (!args)
		return 0;
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t *set = select_sets[at & (PROBE_THREADS - 1)][i];

		__builtin_memset(set, 0, PROBE_SET_BYTES);
		if (args[1 + i])
			bpf_probe_read_user(set, PROBE_SET_BYTES, (void *)args[1 + i]);
	}
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long nr)
{
	const uint64_t id = bpf_get_current_pid_tgid();
	const uint32_t tgid = id >> 32, tid = (uint32_t)id;
	const uint32_t process = process_find(tgid);
	const volatile struct probe_rule *rule;
	struct probe_slot *slot;
	uint32_t at;

	if (process == PROBE_PROCESSES || !process_started[process & (PROBE_PROCESSES - 1)])
		return 0;
	at = slot_find(tid);
	if (nr == NR_RESTART_SYSCALL && at != PROBE_THREADS) {
		/* The interrupted call goes on, with what is left of its limit. */
		slot = &slots[at & (PROBE_THREADS - 1)];
		if (slot->nr) {
			slot->t0 = bpf_ktime_get_ns();
			slot->active = 1;
		}
		return 0;
	}
	if ((uint64_t)nr >= PROBE_SYSCALLS)
		return 0;
	rule = &rules[nr & (PROBE_SYSCALLS - 1)];
	if (!(rule->flags & RULE_WATCH))
		return 0;
	if (at == PROBE_THREADS)
		at = slot_claim(tid);
	if (at == PROBE_THREADS)
		return 0;
	slot = &slots[at & (PROBE_THREADS - 1)];
	slot->tgid = tgid;
	cpu_args(regs, slot->args);
	if (rule->flags & RULE_NO_DIR) {
		slot->args[2] = slot->args[1];
		slot->args[1] = slot->args[0];
	}
	slot->nr = (uint16_t)nr;
	slot->site =
		(((uint32_t)cpu_ip(regs) * 0x9e3779b1U) ^ ((uint32_t)(cpu_sp(regs) >> 3) * 0x85ebca77U) ^ (tgid * 0xc2b2ae3dU)) +
			((uint32_t)nr << 1) |
		1;
	slot->limit = rule->limit == LIMIT_NONE ? -1 : limit_of(rule->limit, slot->args);
	slot->t0 = bpf_ktime_get_ns();
	if (rule->copy == COPY_SELECT)
		note_sets(at, slot->args);
	if (site_due(slot->site))
		tell_stack(ctx, regs, slot->site);
	if (rule->flags & RULE_CONNECT)
		tell_connecting(slot);
	if ((rule->flags & RULE_CLOSES) && file_of((int)slot->args[0]))
		return tell_closing(slot, process);
	slot->active = 1;
	return 0;
}

/* What a socket is needs no look at it; of what only wakes or counts, nothing is told. */
static __always_inline uint8_t policy_of_new(uint32_t flags, uint64_t domain)
{
	if (flags & RULE_QUIET)
		return POLICY_NONE;
	if (!(flags & RULE_SOCKET))
		return POLICY_UNKNOWN;
	return (flags & RULE_WAITS) || domain == AF_UNIX || domain == AF_INET || domain == AF_INET6 ? policy_socket : POLICY_SIZES;
}

/* A log by its name, where its flags do not say so: it ends in .log, or lies in a folder called log or logs. */
__noinline uint32_t is_log_path(const struct scratch *s)
{
	uint32_t tail = 0; /* the last four bytes */

	if (!s)
		return 0;
	for (uint32_t i = 0; i < PROBE_PATH; i++) {
		const uint8_t c = s->data[i];

		if (i >= s->call.data_len)
			break;
		if (c == '/' && (tail == 0x2f6c6f67 || tail == 0x6c6f6773)) /* "/log", "logs" */
			return 1;
		tail = tail << 8 | c;
	}
	return tail == 0x2e6c6f67; /* ".log" */
}

static __always_inline void opened(struct scratch *s, uint32_t process)
{
	const uint32_t flags = (uint32_t)s->call.args[2];
	uint8_t policy = POLICY_UNKNOWN;

	if (s->call.ret < 0)
		return;
	if ((flags & O_ACCMODE) == O_RDONLY)
		policy = POLICY_NONE;
	else if (is_log_path(s))
		policy = policy_logfile;
	policy_set(process, (int)s->call.ret, policy);
	s->call.policy = policy;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long ret)
{
	const uint32_t tid = (uint32_t)bpf_get_current_pid_tgid();
	const uint32_t at = slot_find(tid);
	const volatile struct probe_rule *rule;
	struct probe_slot *slot;
	struct scratch *s;
	uint32_t process, most = PROBE_DATA;

	if (at == PROBE_THREADS)
		return 0;
	slot = &slots[at & (PROBE_THREADS - 1)];
	if (!slot->active)
		return 0;
	slot->active = 0;
	rule = &rules[slot->nr & (PROBE_SYSCALLS - 1)];
	process = process_find(slot->tgid);
	s = scratch_get();
	if (!s || process == PROBE_PROCESSES)
		return 0;
	if (ret >= ERR_RESTART_FIRST && ret <= ERR_RESTART_LAST)
		ret = ERR_INTR;
	s->call.fd_kind = 0;
	s->call.policy = POLICY_SIZES;
	if (rule->flags & RULE_DATA) {
		s->call.policy = policy_of(s, process, (int)slot->args[0]);
		if (s->call.policy == POLICY_NONE || (s->call.policy == POLICY_SINK && (rule->flags & RULE_READS))) {
			if (!s->call.fd_kind)
				return 0;
		}
		most = policy_bytes(s->call.policy);
	}
	s->call.kind = PROBE_CALL;
	s->call.nr = slot->nr;
	s->call.tgid = slot->tgid;
	s->call.tid = tid;
	s->call.site = slot->site;
	s->call.t0 = slot->t0;
	s->call.t1 = bpf_ktime_get_ns();
	s->call.ret = ret;
	__builtin_memcpy(s->call.args, slot->args, sizeof(s->call.args));
	s->call.limit = slot->limit;
	s->call.data_len = 0;
	s->call.wanted = 0;
	if (rule->copy != COPY_NONE && (ret >= 0 || (rule->flags & RULE_FAILED)))
		copy_memory(s, rule->copy, at, most);
	if (rule->copy == COPY_PATH)
		opened(s, process);
	else if ((rule->flags & RULE_NEW_FD) && ret >= 0)
		policy_set(process, (int)ret, policy_of_new(rule->flags, slot->args[0]));
	if ((rule->flags & RULE_WAITS) && s->call.t1 - s->call.t0 >= slow_ns)
		tell_stack(ctx, regs, slot->site);
	tell_call(s);
	return 0;
}

/* -- life -- */

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
	s->call.fd_kind = 0;
	return s;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	const uint32_t from = (uint32_t)parent->tgid, to = (uint32_t)child->tgid;
	uint32_t process;
	struct scratch *s;

	if (from == to)
		return 0;
	if (agent_tgid && from == agent_tgid) {
		process_add(to, 0);
		return 0;
	}
	process = process_find(from);
	if (process == PROBE_PROCESSES || !process_add(to, process_started[process & (PROBE_PROCESSES - 1)]))
		return 0;
	s = tell_of(PROBE_FORK, from, (uint32_t)parent->pid);
	if (s && process_started[process & (PROBE_PROCESSES - 1)]) {
		s->call.args[0] = to;
		tell_call(s);
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	const uint32_t tgid = (uint32_t)task->tgid;
	const uint32_t process = process_find(tgid);
	struct scratch *s;
	long n;

	if (process == PROBE_PROCESSES)
		return 0;
	policies_clear(process);
	process_started[process & (PROBE_PROCESSES - 1)] = 1;
	s = tell_of(PROBE_EXEC, tgid, (uint32_t)task->pid);
	if (!s)
		return 0;
	s->call.args[0] = (uint64_t)task->real_parent->tgid;
	s->call.args[1] = task->mm ? task->mm->start_code : 0;
	n = bpf_probe_read_kernel_str(s->data, PROBE_PATH, bprm->filename);
	s->call.data_len = n > 0 ? (uint32_t)n - 1 : 0;
	tell_call(s);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task)
{
	const uint32_t tgid = (uint32_t)task->tgid, tid = (uint32_t)task->pid;
	const uint32_t process = process_find(tgid);
	const uint32_t at = slot_find(tid);
	struct scratch *s;

	if (at != PROBE_THREADS) {
		slots[at & (PROBE_THREADS - 1)].active = 0;
		slots[at & (PROBE_THREADS - 1)].nr = 0;
		slots[at & (PROBE_THREADS - 1)].tid = 0;
	}
	if (process == PROBE_PROCESSES || task->signal->live.counter != 0)
		return 0;
	if (process_started[process & (PROBE_PROCESSES - 1)]) {
		s = tell_of(PROBE_EXIT, tgid, tid);
		if (s) {
			s->call.ret = task->exit_code;
			tell_call(s);
		}
	}
	process_tgid[process & (PROBE_PROCESSES - 1)] = 0;
	return 0;
}

/* -- the network: counted for the whole machine, at hardly any cost -- */

SEC("raw_tp/tcp_retransmit_skb")
int on_retransmit(void *ctx)
{
	count(PROBE_COUNT_RETRANSMITS);
	return 0;
}

#define TCP_SYN_SENT 2
#define TCP_CLOSE 7

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state, struct sock *sk, int before, int after)
{
	if (before == TCP_SYN_SENT && after == TCP_CLOSE)
		count(PROBE_COUNT_CONNECTS_FAILED);
	return 0;
}
