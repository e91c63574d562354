/*
 * Incoming requests and the calls that are made for them: what deadline_caller.c follows and deadline_chain.c tells. Inside the deadline
 * detector only.
 */
#ifndef GAPSCOPE_DETECTORS_DEADLINE_CALLER_H
#define GAPSCOPE_DETECTORS_DEADLINE_CALLER_H

#include "detectors/deadline.h"

#define DEADLINE_CALLERS_MAX 8192U /* incoming requests, and calls, followed at once; later ones are counted */
#define DEADLINE_OPERATION 128U

/* One kind of incoming request and one dependency: "GET /checkout → payments:443". */
struct deadline_chain {
	char name[DEADLINE_OPERATION + LIMIT_PEER_TEXT + 8];
	char operation[DEADLINE_OPERATION], peer[LIMIT_PEER_TEXT];
	uint32_t stack;
	uint64_t stated_n, stated_ns, left_ns; /* callers that stated a deadline; the one that left least for the call */
	uint64_t first_ns, last_ns;            /* of those */
	uint64_t caller_waited_ns;             /* a caller that went */
	struct tally inversion, abandoned, stated_inversion, stated_budget;
	UT_hash_handle hh;
};

/* deadline_caller.c */
void caller_start(struct deadline *d, struct request *q); /* an incoming one */
void caller_end(struct deadline *d, struct request *q);
void call_start(struct deadline *d, const struct request *q); /* one to a dependency */
void call_end(struct deadline *d, const struct request *q);
void caller_tick(struct deadline *d, uint64_t now_ns);
void callers_start(struct deadline *d);
void callers_free(struct deadline *d);

/* deadline_chain.c */
void chains_tell(struct deadline *d, bool settled);

#endif
