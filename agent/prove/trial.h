/*
 * What has come of the fault that is on: the relay's words, added up. Owner: prove.c, on the agent's main thread.
 */
#ifndef GAPSCOPE_PROVE_TRIAL_H
#define GAPSCOPE_PROVE_TRIAL_H

#include "prove/relay.h"

struct trial {
	enum fault_kind kind;
	uint32_t row; /* WIRE_FAULT_PEERS: the first peer to come */
	uint64_t start_ns, first_ns, last_ns, gap_ns;
	uint32_t affected_before, affected;
	uint32_t asked, over; /* connections that felt it, and those of them whose end is known */
	uint32_t gave_up, waited, cut, unfit;
	uint64_t least_ns, most_ns, waited_ns;
	uint64_t whole_ns;          /* of the shortest give-up: since it asked */
	uint64_t answers, failures; /* of the service, meanwhile */
};

/* The relay said this. stall_ns: when the service gives up a peer that is silent, 0 = not known. */
void trial_hears(struct trial *t, const struct relay_said *said, uint64_t stall_ns);
/* "gave_up", "waited", "attempts", "not_reached", "unfit" or "unclear": static. */
const char *trial_outcome(const struct trial *t);

#endif
