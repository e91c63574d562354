/*
 * What it costs a program that its allocator's functions have probes: measured here and now, at two functions of this program. So that it can
 * be said before it is done to a service. Main thread; needs the privileges that loading needs.
 */
#ifndef GAPSCOPE_PROBES_ALLOC_COST_H
#define GAPSCOPE_PROBES_ALLOC_COST_H

#include "probes/probes.h"

/*
 * Nanoseconds that a pair of malloc and free takes longer. -EPERM: the kernel ends programs with a seccomp filter when such a function returns
 * (its way back is a system call that their filter does not know), so nobody should have such probes. Or another -errno.
 */
int alloc_cost_measure(struct probes *p, double *ret_ns);

#endif
