/*
 * How soon the thread that reads the rings gets a processor. On a busy machine it would wait its turn among all others, and rings would
 * fill meanwhile; it needs little, so it may go first. Who uses much is no better than the service: then it waits like everybody.
 *
 * Owned by the live loop, for its own thread.
 */
#ifndef GAPSCOPE_COMMANDS_EAGER_H
#define GAPSCOPE_COMMANDS_EAGER_H

#include <stdbool.h>
#include <stdint.h>

struct eager {
	int nice;        /* as we were started */
	bool ahead;      /* we go before others, if that is permitted */
	uint64_t cpu_ns; /* of this thread, at the last look */
	uint64_t at_ns;
};

/* The calling thread goes first from now on; what it starts does not. Where it may not, short slices let it run sooner all the same. */
void eager_start(struct eager *e);
/* Call it often: it looks a few times a second whether little enough was used. */
void eager_look(struct eager *e);
/* Should a thread go first that used cpu_ns within wall_ns, and did (or did not) so far? */
bool eager_fits(bool ahead, uint64_t cpu_ns, uint64_t wall_ns);

#endif
