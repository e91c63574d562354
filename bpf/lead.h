/*
 * What the programs that lead connections (lead.bpf.c) and the agent (agent/probes/lead.c) share, beside the faults themselves
 * (agent/wire/fault.h). May be included by bpf/ and agent/probes only.
 */
#ifndef GAPSCOPE_BPF_LEAD_H
#define GAPSCOPE_BPF_LEAD_H

#include "agent/wire/fault.h"

#define LEAD_TRIES 8U /* at a number that others change, too */
#define LEAD_WORDS (sizeof(struct wire_fault) / 8)

_Static_assert(sizeof(struct wire_fault) % 8 == 0, "");

#endif
