/*
 * Proof mode: one fault after the other, each at one peer, under a budget; and what came of it.
 *
 * Owner: the command, on its main thread. Faults reach the service through the session's shared memory (wire/fault.h) and the relay
 * (relay.h). What the service does is learnt from the model, as an observer, and from the relay.
 */
#ifndef GAPSCOPE_PROVE_PROVE_H
#define GAPSCOPE_PROVE_PROVE_H

#include "model/model.h"
#include "prove/plan.h"

#define PROVE_TICK_MS 100U /* how often prove_tick is to be called: the relay renews the lease for as long as that goes on */

struct prove;
/* A fault is over (or, of a dry run, would be made): data of a PROOF event. */
typedef void (*prove_fn)(void *ctx, const struct event_proof *proof);

/* Starts the relay, in the network namespace of process `pid` (0: ours), but not for a dry run: before there are other threads. 0, or
 * -errno with a line in err. */
int prove_new(const struct plan *plan, struct wire_fault *f, pid_t pid, prove_fn say, void *ctx, struct prove **ret, char *err,
	      size_t err_size);
/* What is to be told by the model; its ctx is the struct prove. */
extern const struct observer prove_observer;
/* Go on. now_ns is CLOCK_MONOTONIC. */
void prove_tick(struct prove *p, uint64_t now_ns);
/* The session ends: no fault is left. `stopping`: the service was told to end, so that what it closes from now on proves nothing. */
void prove_end(struct prove *p, uint64_t now_ns, bool stopping);
void prove_free(struct prove *p);

#endif
