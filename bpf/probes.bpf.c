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
#include "bpf/alloc.h"
#include "bpf/copy.h"
#include "bpf/go.h"
#include "bpf/limit.h"
#include "bpf/say.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

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
	s->call.fd_kind = s->call.tail = 0;
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
	policy_renew(process, (int)slot->args[0], POLICY_UNKNOWN, slot->t0);
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
	s->call.fd_kind = s->call.tail = 0;
	s->call.data_len = 0;
	s->call.wanted = 0;
	tell_call(s);
	return 0;
}

/* There was no room for it when it began: before anything else of it is told. */
static __noinline int tell_begun(uint32_t process, uint32_t tgid)
{
	const struct task_struct *task = (const struct task_struct *)(void *)bpf_get_current_task();
	struct scratch *s = tell_of(PROBE_EXEC, tgid, tgid);

	if (!s)
		return 0;
	s->call.args[0] = (uint64_t)BPF_CORE_READ(task, real_parent, tgid);
	s->call.args[1] = BPF_CORE_READ(task, mm, start_code);
	s->call.args[2] = process_generation[process & (PROBE_PROCESSES - 1)];
	process_knows(process, tell_call(s));
	return process_is_known(process);
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

/* A number of where this call is made. */
static __always_inline uint32_t site_of(const struct pt_regs *regs, uint32_t tgid, uint32_t nr)
{
	return (((uint32_t)cpu_ip(regs) * 0x9e3779b1U) ^ ((uint32_t)(cpu_sp(regs) >> 3) * 0x85ebca77U) ^ (tgid * 0xc2b2ae3dU)) +
		       (nr << 1) |
	       1;
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

	if (process == PROBE_PROCESSES || !process_is_told(process))
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
	if (!process_is_known(process) && !tell_begun(process, tgid)) /* which counts as lost what is this call */
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
	slot->site = site_of(regs, tgid, (uint32_t)nr);
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

/* Four bytes of a path, as a number: "/log" is 0x676f6c2f. */
static __always_inline uint32_t four_at(const struct scratch *s, uint32_t at)
{
	return *(const uint32_t *)(const void *)(s->data + at);
}

/* A log by its name, where its flags do not say so: it ends in .log, or lies in a folder called log or logs. */
__noinline uint32_t is_log_path(const struct scratch *s)
{
	uint32_t len;

	if (!s)
		return 0;
	len = s->call.data_len;
	if (len < 4 || len > PROBE_PATH)
		return 0;
	for (uint32_t i = 0; i < PROBE_PATH && i + 4 < len; i++) {
		const uint32_t four = four_at(s, i);

		if ((four == 0x676f6c2f || four == 0x73676f6c) && s->data[i + 4] == '/') /* "/log", "logs" */
			return 1;
	}
	return four_at(s, len - 4) == 0x676f6c2e; /* ".log" */
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
	policy_renew(process, (int)s->call.ret, policy, s->call.t1);
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
	if (!slot->site) { /* the agent noted it: it was under way before */
		slot->site = site_of(regs, slot->tgid, slot->nr);
		if (site_due(slot->site))
			tell_stack(ctx, regs, slot->site);
	}
	if (ret >= ERR_RESTART_FIRST && ret <= ERR_RESTART_LAST)
		ret = ERR_INTR;
	s->call.fd_kind = s->call.tail = 0;
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
	s->call.task = cpu_go_task(regs);
	s->call.data_len = 0;
	s->call.wanted = 0;
	if (rule->copy != COPY_NONE && (ret >= 0 || (rule->flags & RULE_FAILED)))
		copy_memory(s, rule->copy, at, most);
	if (rule->copy == COPY_PATH)
		opened(s, process);
	else if ((rule->flags & RULE_NEW_FD) && ret >= 0)
		policy_renew(process, (int)ret, policy_of_new(rule->flags, slot->args[0]), s->call.t1);
	if ((rule->flags & RULE_WAITS) && s->call.t1 - s->call.t0 >= slow_ns)
		tell_stack(ctx, regs, slot->site);
	tell_call(s);
	return 0;
}

/* -- life -- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	const uint32_t from = (uint32_t)parent->tgid, to = (uint32_t)child->tgid;
	uint32_t process, added;
	struct scratch *s;

	if (from == to)
		return 0;
	if (agent_tgid && from == agent_tgid) {
		process_add(to, PROBE_PROCESSES);
		return 0;
	}
	process = process_find(from);
	if (process == PROBE_PROCESSES)
		return 0;
	added = process_add(to, process);
	if (added == PROBE_PROCESSES || !process_is_told(added) || !process_is_known(process))
		return 0;
	s = tell_of(PROBE_FORK, from, (uint32_t)parent->pid);
	if (s) {
		s->call.args[0] = to;
		s->call.args[1] = process_generation[added & (PROBE_PROCESSES - 1)];
		process_knows(added, tell_call(s));
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
	process_generation[process & (PROBE_PROCESSES - 1)]++;
	process_started[process & (PROBE_PROCESSES - 1)] = 1;
	s = tell_of(PROBE_EXEC, tgid, (uint32_t)task->pid);
	if (!s)
		return 0;
	s->call.args[0] = (uint64_t)task->real_parent->tgid;
	s->call.args[1] = task->mm ? task->mm->start_code : 0;
	s->call.args[2] = process_generation[process & (PROBE_PROCESSES - 1)];
	n = bpf_probe_read_kernel_str(s->data, PROBE_PATH, bprm->filename);
	s->call.data_len = n > 0 ? (uint32_t)n - 1 : 0;
	process_knows(process, tell_call(s));
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
		tell_alloc_rest(tgid, tid, at);
		slots[at & (PROBE_THREADS - 1)].active = 0;
		slots[at & (PROBE_THREADS - 1)].nr = 0;
		slots[at & (PROBE_THREADS - 1)].tid = 0;
	}
	if (process == PROBE_PROCESSES || task->signal->live.counter != 0)
		return 0;
	if (process_is_told(process) && process_is_known(process)) {
		s = tell_of(PROBE_EXIT, tgid, tid);
		if (s) {
			s->call.ret = task->exit_code;
			tell_call(s);
		}
	}
	process_tgid[process & (PROBE_PROCESSES - 1)] = 0;
	return 0;
}
