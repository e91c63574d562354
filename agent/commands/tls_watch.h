/*
 * Programs that a TLS library is a part of (Node), whichever way they are watched otherwise: puts probes at the library's functions, and tells what
 * goes through them as the shim would have. What cannot be seen is said, for the report. Owner: the command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_TLS_WATCH_H
#define GAPSCOPE_COMMANDS_TLS_WATCH_H

#include <sys/types.h>

#include "ingest/ingest.h"

struct tls_watch;

/* NULL: no memory; all functions take NULL, and do nothing. */
struct tls_watch *tls_watch_new(struct ingest *in);
/* Programs that are named in these arguments will be started. Before the privileges are given up. */
void tls_watch_expect(struct tls_watch *w, char *const *argv);
/* A process is watched from now on; others that begin to speak to the session, or go on to another program, are found within a second, and what a watched one forks is watched. */
void tls_watch_process(struct tls_watch *w, pid_t pid);
/* Before ingest is freed. */
void tls_watch_free(struct tls_watch *w);

#endif
