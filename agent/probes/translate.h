/*
 * From a system call as the probes tell it to the record that the shim would have made of it: behind this, nobody knows which way an
 * event came. The table has one row for each system call; the probes' own rules are a part of it. Keeps nothing; any thread.
 */
#ifndef GAPSCOPE_PROBES_TRANSLATE_H
#define GAPSCOPE_PROBES_TRANSLATE_H

#include <stdbool.h>

#include "bpf/probe.h"
#include "wire/shared.h"

struct translated {
	struct wire_record record; /* times are CLOCK_MONOTONIC ns; seq is 0 */
	const uint8_t *data;       /* record.data_len bytes: the call's own, or `made` */
	uint8_t made[WIRE_EPOLL_MAX * sizeof(struct wire_epoll)];
};

/* The probes' rules by system call number, PROBE_SYSCALLS of them. */
void translate_rules(struct probe_rule *rules);
/* False if the call says nothing that a record could hold. `wall_ns` is CLOCK_REALTIME where CLOCK_MONOTONIC is 0: for times of day. */
bool translate_call(const struct probe_call *c, const uint8_t *data, uint64_t wall_ns, struct translated *ret);
/* The event of a system call, 0 if there is none. */
uint16_t translate_event(uint16_t nr);
/* The same of a call that may wait, and the descriptor it is about (-1: none); 0 for a call that never waits. */
uint16_t translate_waiting(const struct probe_slot *slot, int *ret_fd);
/* Its limit in ns, as far as the arguments themselves say it: -1 if none does. */
int64_t translate_limit(const struct probe_slot *slot);
/* Where in the caller's memory its limit stands, 0 if nowhere. */
uint64_t translate_limit_at(const struct probe_slot *slot, bool *ret_is_timeval);
/* Are its first two arguments a set of struct pollfd? */
bool translate_is_poll(uint16_t nr);

#endif
