/*
 * Programs that a watched process started and that never spoke: static ones, setuid ones, those of a user who may not read the shim.
 * Silence of theirs must not pass for health, so each is told once, by its path.
 *
 * Owner: ingest. Reads no clock: times are those of the events.
 */
#ifndef GAPSCOPE_INGEST_UNWATCHED_H
#define GAPSCOPE_INGEST_UNWATCHED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"

#define UNWATCHED_PENDING 256U           /* programs that were started and have not spoken yet; further ones are not followed */
#define UNWATCHED_TOLD 64U               /* paths that are told of; further ones are not */
#define UNWATCHED_PATH 160U              /* bytes of a path that is told */
#define UNWATCHED_AFTER_NS 2000000000ULL /* a program that was silent for so long after its start does not load the shim */

struct unwatched {
	struct unwatched_start {
		uint32_t pid; /* 0 = free */
		uint64_t at_ns;
		bool asked; /* was returned by unwatched_silent */
		char path[UNWATCHED_PATH];
	} pending[UNWATCHED_PENDING];
	char told[UNWATCHED_TOLD][UNWATCHED_PATH];
	size_t told_n;
};

/* Feed every event, in order. */
void unwatched_event(struct unwatched *u, const struct event *e);
/* The process of a program that has been silent for for_ns at now_ns, each once; 0: there is none. */
uint32_t unwatched_silent(struct unwatched *u, uint64_t now_ns, uint64_t for_ns);
/* The next program that is known to run unwatched at now_ns (`last`: the session ends), as a sentence in text, its pid in *ret_pid.
 * False if there is none; call until then. */
bool unwatched_next(struct unwatched *u, uint64_t now_ns, bool last, uint32_t *ret_pid, char *text, size_t size);

#endif
