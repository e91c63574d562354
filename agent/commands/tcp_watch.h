/*
 * TCP and the life of processes as the kernel sees them, for `run` and `attach` (probes/tcp.h): loaded where the agent may, fed with what the
 * rounds of samples come across, and told as events of the session. Owner: the command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_TCP_WATCH_H
#define GAPSCOPE_COMMANDS_TCP_WATCH_H

#include <stdbool.h>

#include "ingest/ingest.h"

struct tcp_watch;

struct tcp_watch_options {
	bool now;  /* load at once: the privileges will be given up; else after a second, which many a session does not last */
	bool drop; /* give up the privileges once they are not needed any more */
};

/* NULL: no memory. Then, or where the kernel does not let us, nothing of this is told. */
struct tcp_watch *tcp_watch_new(struct ingest *in, const struct tcp_watch_options *o);
/* Tell what is left; before the session ends. t may be NULL. */
void tcp_watch_flush(struct tcp_watch *t);
/* Before ingest is freed. */
void tcp_watch_free(struct tcp_watch *t);

#endif
