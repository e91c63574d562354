// SPDX-License-Identifier: Dual BSD/GPL
/*
 * Whom these programs are about: processes that the agent named, and what they fork. A part of each program that does not keep the places of state.h.
 */
#ifndef GAPSCOPE_BPF_WATCHED_H
#define GAPSCOPE_BPF_WATCHED_H

#include "bpf/kernel.h"
/* after the types */
#include <bpf/bpf_helpers.h>

#define WATCHED_MAX 1024U /* processes */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WATCHED_MAX);
	__type(key, uint32_t);
	__type(value, uint32_t);
} watched SEC(".maps");

static __always_inline bool is_watched(uint32_t tgid)
{
	return bpf_map_lookup_elem(&watched, &tgid) != 0;
}

/* False: there is no room. */
static __always_inline bool watched_add(uint32_t tgid)
{
	const uint32_t one = 1;

	return bpf_map_update_elem(&watched, &tgid, &one, BPF_ANY) == 0;
}

/* Has a watched process a child now (a thread is none)? */
static __always_inline bool watched_forks(const struct task_struct *parent, const struct task_struct *child)
{
	return parent->tgid != child->tgid && is_watched((uint32_t)parent->tgid);
}

/* A thread ends: was that the end of a watched process? It is none any more. */
static __always_inline bool watched_ends(const struct task_struct *task)
{
	const uint32_t tgid = (uint32_t)task->tgid;

	return task->signal->live.counter == 0 && bpf_map_delete_elem(&watched, &tgid) == 0;
}

#endif
