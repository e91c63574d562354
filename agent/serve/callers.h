/*
 * Who is connected, and since when each has been about a request. libmicrohttpd's own limit is one of silence: a client that sends a byte every few
 * seconds ("slow loris") holds its connection for ever, and as many as there are connections keep everybody else out.
 *
 * Owner: http.c; one thread.
 */
#ifndef GAPSCOPE_SERVE_CALLERS_H
#define GAPSCOPE_SERVE_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLERS_MAX 128U
#define CALLERS_CROWD (CALLERS_MAX * 3 / 4) /* so many that have not said yet what they want: less patience with each */
#define CALLERS_PATIENCE_MS 15000U          /* more than HTTP_IDLE_S: who is merely silent between requests is no matter of ours */
#define CALLERS_CROWDED_MS 1000U

struct caller {
	int fd;    /* its connection's; 0 = a free place */
	bool asks; /* its request has not wholly come */
	uint64_t since_ns;
};

struct callers {
	struct caller place[CALLERS_MAX];
	size_t asking;
};

/* A new connection. NULL if there is no place: then nobody looks after it but libmicrohttpd. */
struct caller *callers_enter(struct callers *c, int fd, uint64_t now_ns);
/* Its request has come; it may take its time over the answer. */
void callers_asked(struct callers *c, struct caller *who);
/* The answer is out: it may ask again. */
void callers_answered(struct callers *c, struct caller *who, uint64_t now_ns);
void callers_leave(struct callers *c, struct caller *who);
/* Cut off those who have taken too long: their connections end, as if they had hung up. How many. */
size_t callers_hurry(struct callers *c, uint64_t now_ns);

#endif
