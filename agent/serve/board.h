/*
 * What the daemon knows: each watched service with its latest report. Routes read it, sessions write it.
 *
 * Owner: the daemon, on its loop's thread; nothing here is shared between threads.
 */
#ifndef GAPSCOPE_SERVE_BOARD_H
#define GAPSCOPE_SERVE_BOARD_H

#include <jansson.h>
#include <stdint.h>

#include "gate/policy.h"

#define BOARD_SERVICES_MAX 256U
#define BOARD_TEXT 160U
#define BOARD_SILENT_S 30U  /* a session writes its report every two seconds: one that did not for so long says nothing of now */
#define BOARD_SETTLE_S 15.0 /* of a session that goes on: so long may detectors hold back what may yet turn out otherwise */

enum board_state { BOARD_WAITING, BOARD_WATCHING, BOARD_ENDED, BOARD_REFUSED };

struct board_service {
	char name[BOARD_TEXT], tier[16], target[BOARD_TEXT];
	char stable[BOARD_TEXT]; /* name of the service that it is compared with, or "" */
	char why[256];           /* why it cannot be watched, or "" */
	enum board_state state;
	json_t *report; /* of the session that runs, or of the last one; NULL before its first */
	uint64_t updated_s, sessions;
};

struct board {
	struct board_service service[BOARD_SERVICES_MAX];
	size_t n;
	uint64_t version; /* grows with each change, for the stream */
	uint64_t now_s;   /* when the daemon looked last */
	struct gate_policy policy;
};

/* A service to be watched; NULL when there is no more room or the name is taken. */
struct board_service *board_add(struct board *b, const char *name, const char *tier, const char *target);
/* By name; NULL if unknown. */
struct board_service *board_find(struct board *b, const char *name);
/* A new state, and a new report if there is one (taken over). What an earlier session saw is forgotten when another one begins. */
void board_update(struct board *b, struct board_service *s, enum board_state state, json_t *report, uint64_t now_s);
void board_done(struct board *b);

/* {name, state, target, tier, why, updated, score, findings by severity, requests, lost}: a new object. */
json_t *board_summary(const struct board *b, const struct board_service *s);
/*
 * The gate's verdict over its latest report, beside its stable version's; a new object. It passes only what is watched now: a session that
 * ended, has just begun, or says nothing any more, is no evidence about the version that runs, nor is one whose stable version was not seen.
 */
json_t *board_verdict(struct board *b, const struct board_service *s, const char *today);

#endif
