/*
 * Proof mode inside the watched process: connections that are led to the agent's relay, look-ups that take longer (wire/fault.h).
 * Nothing is remembered here: the shared header says all, and only while its lease runs.
 */
#ifndef GAPSCOPE_PRELOAD_FAULT_H
#define GAPSCOPE_PRELOAD_FAULT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "preload/call.h"

#pragma GCC visibility push(hidden)
/* The slow part of fault_leads. */
bool fault_leads_slow(int fd, const struct sockaddr *address, socklen_t len, struct sockaddr_in6 *ret, socklen_t *ret_len);
/* The connection could not be led away, and goes its own way: it was not affected. */
void fault_give_back(void);
/* A look-up begins: it takes so much longer, but never longer than the lease. */
void fault_resolve_slow(void);
/* The true name of a peer that turned out to be the relay. */
void fault_peer_name(struct sockaddr *address, socklen_t *len, socklen_t room);
#pragma GCC visibility pop

static inline uint32_t fault_way(void)
{
	return atomic_load_explicit(&shim.header->fault.way, memory_order_acquire);
}

/* Is this connect to be led to *ret? `address` is the caller's, and may point anywhere. */
static inline bool fault_leads(int fd, const struct sockaddr *address, socklen_t len, struct sockaddr_in6 *ret, socklen_t *ret_len)
{
	return unlikely(fault_way() != WIRE_FAULT_NONE) && fault_leads_slow(fd, address, len, ret, ret_len);
}

static inline void fault_resolve(void)
{
	if (unlikely(fault_way() == WIRE_FAULT_RESOLVE))
		fault_resolve_slow();
}

#endif
