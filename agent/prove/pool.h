/*
 * Connections that the service had to a peer before a fault: those that it has asked on, and may ask on again. A fault reaches new connections only,
 * so some of these are ended while they rest, through a copy of the service's descriptor: only the reading half, so that a service that writes all
 * the same gets no signal. What it sees is what it sees of any peer that closes connections that were idle for long.
 *
 * Owner: prove.c, on the agent's main thread.
 */
#ifndef GAPSCOPE_PROVE_POOL_H
#define GAPSCOPE_PROVE_POOL_H

#include "model/model.h"
#include "wire/fault.h"

#define POOL_MAX 16U /* connections that are known of a peer: the latest */

struct pool {
	struct {
		uint64_t id; /* 0 = free */
		uint32_t pid;
		int fd;
	} members[POOL_MAX];
	unsigned int next;
};

/* The peer of a connection that the service made over TCP, as fault rows have it. */
bool pool_address(const struct conn *c, uint8_t to[16], uint16_t *ret_port);
/* It has asked on this connection, and has its answer. */
void pool_note(struct pool *p, const struct conn *c);
void pool_forget(struct pool *p, uint64_t id);
/* End those that rest, at most so many. How many were ended; what cannot be reached is left alone. */
unsigned int pool_end(struct pool *p, const struct wire_fault_peer *peer, unsigned int most);

#endif
