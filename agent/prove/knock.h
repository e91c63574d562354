/*
 * Attempts to connect that nobody answers: they reach no socket of the relay, so the kernel's table of connections says who waits, and since
 * when. In the relay's process only.
 */
#ifndef GAPSCOPE_PROVE_KNOCK_H
#define GAPSCOPE_PROVE_KNOCK_H

#include "prove/pair.h"

#define KNOCKS_MAX 256U /* waiting at once; more are not timed */

struct knock {
	uint32_t port; /* the service's, 0 = free */
	uint32_t row;
	uint64_t since_ns;
	bool seen, told; /* told: it waited for as long as the fault was to last */
};

struct knocks {
	struct knock list[KNOCKS_MAX];
};

/* One line of /proc/net/tcp or tcp6: is it an attempt to connect to `port` of the relay? Then by which port, and for which row. */
bool knock_parse(const char *line, uint16_t port, uint32_t *ret_from, uint32_t *ret_row);
/* Who waits now, who has given up since the last time. */
void knocks_look(struct knocks *k, const struct pair_env *env);
/* The fault is over. */
void knocks_end(struct knocks *k, const struct pair_env *env);

#endif
