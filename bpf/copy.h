// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Copies of a call's memory, by the rule of its system call. A part of the one program (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_COPY_H
#define GAPSCOPE_BPF_COPY_H

#include "bpf/descriptors.h"

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

/* Of one buffer that holds more than is copied, the end as well: messages end there. Pieces of several buffers go without. */
static __always_inline void copy_tail(struct scratch *s, uint64_t from, uint32_t bytes)
{
	if (s->call.policy != POLICY_HEAD_16K || bytes <= PROBE_DATA || s->call.data_len != PROBE_DATA)
		return;
	if (bpf_probe_read_user(s->data + PROBE_DATA - PROBE_TAIL, PROBE_TAIL, (void *)(from + bytes - PROBE_TAIL)) == 0)
		s->call.tail = 1;
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

/*
 * Up to `most` bytes of `bytes` that went through several buffers. How many were copied stands in memory, not in a register: the kernel's
 * verifier then knows as little of it after one piece as after another, and looks at each piece once, not at each way to come to it.
 */
__noinline int copy_vector(struct scratch *s, uint64_t iov, uint64_t pieces, uint32_t bytes, uint32_t most)
{
	volatile uint32_t *copied;

	if (!s)
		return 0;
	copied = &s->call.data_len;
	*copied = 0;
	s->call.wanted = bytes < most ? bytes : most;
	for (uint32_t i = 0; i < PROBE_IOVECS && i < pieces; i++) {
		const uint32_t at = *copied, left = *(volatile uint32_t *)&s->call.wanted - at;
		struct user_iovec v;
		uint32_t n;

		if (left == 0 || at > PROBE_DATA)
			break;
		if (bpf_probe_read_user(&v, sizeof(v), (void *)(iov + i * sizeof(v))) != 0)
			goto unreadable;
		n = v.len < left ? (uint32_t)v.len : left;
		if (n == 0)
			continue;
		if (n > PROBE_DATA)
			break;
		if (bpf_probe_read_user(s->data + at, n, (void *)v.base) != 0)
			goto unreadable;
		*copied = at + n;
	}
	return 0;
unreadable:
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
		copy_tail(s, s->call.args[1], n);
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

#endif
