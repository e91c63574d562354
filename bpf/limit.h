// SPDX-License-Identifier: Dual BSD/GPL
/*
 * The limit of a wait, read as it is entered: the kernel may change what the caller's memory says. A part of the one program
 * (probes.bpf.c), included there only.
 */
#ifndef GAPSCOPE_BPF_LIMIT_H
#define GAPSCOPE_BPF_LIMIT_H

#include "bpf/state.h"

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

#endif
