/*
 * One connection through the relay, and what a fault does to its bytes. In the relay's process only, on its only thread.
 */
#ifndef GAPSCOPE_PROVE_PAIR_H
#define GAPSCOPE_PROVE_PAIR_H

#include "prove/relay.h"
#include "prove/sniff.h"

#define PAIR_BUFFER_BYTES 32768U

enum pair_stage {
	PAIR_PLAIN,    /* no fault: bytes go to and fro */
	PAIR_WAITS,    /* a fault is meant for it, but its moment has not come */
	PAIR_HOLDS,    /* answers are withheld */
	PAIR_ANSWERED, /* it was answered by us, and is to be closed by the service */
	PAIR_DEAD,
};

struct pair_end {
	struct pair *pair;
	int fd;           /* or -1 */
	uint32_t watched; /* events that epoll was asked for */
};

struct pair_flow {
	uint8_t *bytes; /* PAIR_BUFFER_BYTES */
	size_t len;
	bool ended, told; /* the sender has ended it; the receiver was told */
};

struct pair {
	struct pair_end client, server;
	struct pair_flow up, down;
	enum pair_stage stage;
	uint32_t row, kind;
	uint64_t began_ns; /* when it had asked */
	uint64_t asked_ns; /* the same, or when the last byte of an answer passed that then stopped */
	uint64_t seen_ns;  /* its latest bytes */
	uint64_t grant_ns; /* when the next byte may drip */
	size_t granted;    /* bytes of `down` that may pass */
	bool connecting, tls, answered, half, headed, said;
	struct sniff_tls records;
	struct pair *prev, *next;
};

/* What pairs share. */
struct pair_env {
	struct wire_fault *fault;
	int epoll, control;
	uint64_t now_ns, hold_ns;
	bool on; /* a fault's lease runs */
	struct pair *pairs;
	size_t pairs_n;
};

/* To the agent; lost if it does not listen. */
void pair_say(const struct pair_env *env, const struct relay_said *said);
void pair_new(struct pair_env *env, int client, uint32_t row);
/* Something happened to one of its ends. */
void pair_ready(struct pair_env *env, struct pair_end *end, uint32_t events);
/* Time has passed. */
void pair_tick(struct pair_env *env, struct pair *p);
/* Free those that are over. */
void pairs_sweep(struct pair_env *env);

#endif
