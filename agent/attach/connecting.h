/*
 * Is a TCP socket being connected, to whom and since when? The kernel knows. Any thread; keeps nothing.
 */
#ifndef GAPSCOPE_ATTACH_CONNECTING_H
#define GAPSCOPE_ATTACH_CONNECTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* How an attempt fares: how often its SYN was sent again, how often the pause was doubled for that, how long the pause is now, and what is left of it. */
struct connecting {
	unsigned int again, doubled;
	uint64_t pause_ns, left_ns;
};

/* How long an attempt lasts already. */
uint64_t connecting_age_ns(const struct connecting *c);
/* `fd` is a copy of a descriptor of pid. False: it is no TCP socket that waits for the answer to its SYN. */
bool connecting(pid_t pid, int fd, struct sockaddr_storage *ret_peer, socklen_t *ret_len, uint64_t *ret_age_ns);

#endif
