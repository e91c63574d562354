/*
 * What a Go program had set before it was watched: the timers in its runtime's heaps, and the deadlines of its descriptors. Read from outside
 * while it runs; go_deadlines.c is told, and knows of all timers then.
 *
 * A timer may miss a look, because it moves within its heap meanwhile, or because (from Go 1.23 on) a channel's timer is in one only while somebody
 * waits for it. So there are more looks, ever further apart. One for each process; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_BEFORE_H
#define GAPSCOPE_COMMANDS_GO_BEFORE_H

#include "commands/go_deadlines.h"

struct go_before {
	uint32_t pid;
	bool pairs;               /* go_timers.h */
	unsigned int looks, good; /* good: that showed all timers */
	uint64_t next_ns;
};

/* Of the process `pid` with the table `t`, all is still to be read. */
void go_before_begin(struct go_before *b, uint32_t pid, const struct gopclntab *t);
/* Looks, if it is time. */
void go_before_tick(struct go_before *b, struct go_deadlines *g, uint64_t now_ns, const struct go_sink *to);

#endif
