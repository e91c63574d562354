/*
 * Where `gapscope top` looks: a daemon, over HTTP or a Unix socket, or the report file of a session. What is read is cleaned of escapes.
 *
 * Owner: the command; main thread. A look takes at most a few seconds.
 */
#ifndef GAPSCOPE_COMMANDS_TOP_SOURCE_H
#define GAPSCOPE_COMMANDS_TOP_SOURCE_H

#include <jansson.h>
#include <stddef.h>

struct top_source;

/* `where` is a report file, "ADDRESS:PORT", "http://…" or "unix:PATH"; token NULL for none. 0, or -errno with one line in err. */
int top_source_open(const char *where, const char *token, struct top_source **ret, char *err, size_t err_size);
void top_source_close(struct top_source *s);
/* Summaries of all services: a new list. 0, or -errno with one line in err. */
int top_source_services(struct top_source *s, json_t **ret, char *err, size_t err_size);
/* The report of one: a new object, NULL if there is none yet. 0, or -errno with one line in err. */
int top_source_report(struct top_source *s, const char *service, json_t **ret, char *err, size_t err_size);

#endif
