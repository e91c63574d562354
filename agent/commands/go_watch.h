/*
 * Go programs among those that the probes watch: puts probes at their deadline functions, and hands what these say to each process's
 * go_deadlines. A process is named by its place among the watched. Owner: probing.c; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_WATCH_H
#define GAPSCOPE_COMMANDS_GO_WATCH_H

#include "ingest/ingest.h"
#include "probes/probes.h"

struct go_watch;

/* NULL: no memory; all functions take NULL, and do nothing. */
struct go_watch *go_watch_new(struct probes *probes, struct ingest *in);
void go_watch_free(struct go_watch *w);
/* The program at `path` will be started: probes that stand before it begins miss nothing. */
void go_watch_expect(struct go_watch *w, const char *path);
/* A process is watched from now on. `started`: the path of its program, which has just begun; NULL: it runs already. Is it Go's? */
bool go_watch_begin(struct go_watch *w, size_t place, uint32_t pid, const char *started);
/* What is in this place has ended. */
void go_watch_end(struct go_watch *w, size_t place);
/* Its code lies so much above where its file says. */
void go_watch_moved(struct go_watch *w, size_t place, uint64_t bias);
/* What probes_sink.go is told. */
void go_watch_call(struct go_watch *w, size_t place, const struct probe_call *c, const uint8_t *data);
void go_watch_record(struct go_watch *w, size_t place, const struct wire_record *r);
/* CLOCK_MONOTONIC. */
void go_watch_tick(struct go_watch *w, uint64_t now_ns);

#endif
