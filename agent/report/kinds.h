/*
 * Requests that are alike: same names, peer and outcome, and so the same row of traffic and the same points of metrics. What was worked out
 * for one of them is found again for the next ones, without building names and attributes again.
 *
 * Owner: the session, on its thread. A kind stays where it is until another one needs its place: never keep one longer than its request.
 */
#ifndef GAPSCOPE_REPORT_KINDS_H
#define GAPSCOPE_REPORT_KINDS_H

#include "model/model.h"

struct row;

struct kind {
	/* What requests of it have in common. */
	bool used, server, failed, encrypted, end_unseen;
	enum request_area area;
	enum message_way way;
	enum request_end end;
	int status;
	unsigned int version;
	const struct protocol *protocol;
	const char *system;
	char method[32], status_text[32], space[64], target[128], summary[128];
	char host[LIMIT_PEER_TEXT], peer[LIMIT_PEER_TEXT], server_name[128]; /* of requests that the service makes */
	/* What follows from it. */
	bool error;                /* it has an error.type */
	size_t requests, duration; /* its points of metrics (series_again), 0 = not known */
	struct row *row;           /* of traffic, NULL = not known */
};

struct kinds;

struct kinds *kinds_new(void);
void kinds_free(struct kinds *k);
/* The kind of an ended request. */
struct kind *kinds_of(struct kinds *k, const struct request *r);

#endif
