/*
 * The relay: a process on loopback that stands between the service and a peer while a fault is on, and does to the bytes what the fault
 * says. Because it is a process of its own, no death of the agent leaves a fault behind: what it holds back flows as soon as the agent is
 * gone, has let the lease run out (wire/fault.h), or says so; connections that go through it go on for as long as they live, and then it
 * ends, too. It opens nothing but loopback sockets and connections to the peers that the service itself wanted.
 *
 * Owner: prove.c, on the agent's main thread; relay_start forks, so it is called before there are other threads.
 */
#ifndef GAPSCOPE_PROVE_RELAY_H
#define GAPSCOPE_PROVE_RELAY_H

#include <stddef.h>
#include <sys/types.h>

#include "core/faults.h"

#define RELAY_PAIRS_MAX 2048U /* connections at once; one more is reset */

enum relay_what {
	RELAY_ASKED,   /* the fault begins to be felt: what was asked goes without an answer */
	RELAY_GAVE_UP, /* the service closed the connection, waited_ns after it had asked */
	RELAY_WAITED,  /* it did not, for as long as the fault was to last; now the answer flows */
	RELAY_FREED,   /* the fault ended earlier: nothing is known but that it had waited so long */
	RELAY_CUT,     /* reset, or answered 503 */
	RELAY_UNFIT,   /* the fault does not fit what is spoken: the connection was left alone */
};

struct relay_said {
	uint32_t what; /* enum relay_what */
	uint32_t kind; /* enum fault_kind */
	uint32_t row;
	uint32_t pad;
	uint64_t waited_ns; /* since the last byte that came, or it asked */
	uint64_t whole_ns;  /* since it asked */
};

struct relay {
	pid_t pid;   /* 0 = none */
	int control; /* struct relay_said come from it; closed by either side, the other knows */
};

/*
 * Start it in the network namespace of process `pid` (0: ours), and enter its ports into f, which must be shared memory. hold_ns: how long
 * a fault may hold a connection. 0, or -errno with a line in err.
 */
int relay_start(struct relay *r, struct wire_fault *f, pid_t pid, uint64_t hold_ns, char *err, size_t err_size);
/* One thing that it said. False if there is none, or no relay. */
bool relay_next(struct relay *r, struct relay_said *ret);
/* It flows freely from now on, and ends by itself. */
void relay_leave(struct relay *r);

#endif
