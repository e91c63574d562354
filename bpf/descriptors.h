// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Descriptors: what each is, and how much of it is to be copied. A part of the one program (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_DESCRIPTORS_H
#define GAPSCOPE_BPF_DESCRIPTORS_H

#include "bpf/state.h"

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

static __always_inline uint64_t *renewed_at(uint32_t process, int fd)
{
	uint32_t at = (uint32_t)fd;

	asm volatile("%0 &= %1" : "+r"(at) : "i"(PROBE_RENEWED - 1));
	asm volatile("%0 &= %1" : "+r"(process) : "i"(PROBE_PROCESSES - 1));
	return &renewed[process][at];
}

/* The number is another descriptor's since `ns`, or nobody's. First the time: the agent asks for it before it has its say. */
static __always_inline void policy_renew(uint32_t process, int fd, uint8_t policy, uint64_t ns)
{
	if ((uint32_t)fd >= PROBE_FDS)
		return;
	*(volatile uint64_t *)renewed_at(process, fd) = ns;
	*(volatile uint8_t *)policy_at(process, fd) = policy;
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
	case POLICY_HEAD_16K:
		return PROBE_DATA;
	default:
		return 0;
	}
}

#endif
