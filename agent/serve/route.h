/*
 * One endpoint of the daemon: a row of route_table, with the function that answers. Answers are made whole in memory.
 */
#ifndef GAPSCOPE_SERVE_ROUTE_H
#define GAPSCOPE_SERVE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "serve/board.h"

struct history;

struct route_request {
	struct board *board;
	struct history *history;
	const char *rest;                                                     /* of the path behind the route's, "" if none */
	const char *(*query)(const struct route_request *q, const char *key); /* NULL if it is not there */
	const char *body;
	size_t body_len;
	const char *today; /* "2026-11-21" */
	void *connection;  /* of query */
};

struct route_answer {
	unsigned int status;
	const char *type; /* content type */
	const char *text; /* static, or `made` */
	char *made;       /* allocated with malloc; freed by who sends it */
	size_t len;
};

struct route {
	const char *method, *path;
	bool prefix; /* the path may go on */
	bool open;   /* holds nothing of any service: needs no token */
	const char *doc;
	void (*answer)(const struct route_request *q, struct route_answer *ret);
};

extern const struct route route_table[]; /* ends with method NULL */
/* The row for a request; NULL if there is none. *ret_path_known: another method would have been right. */
const struct route *route_find(const char *method, const char *path, const char **ret_rest, bool *ret_path_known);

/* For answers. */
void answer_text(struct route_answer *a, unsigned int status, const char *type, const char *text);
/* The object is given up. */
void answer_json(struct route_answer *a, unsigned int status, json_t *o);
void answer_error(struct route_answer *a, unsigned int status, const char *message);

/* routes_metrics.c */
void route_metrics(const struct route_request *q, struct route_answer *ret);
/* routes_gate.c */
void route_argo(const struct route_request *q, struct route_answer *ret);
void route_flagger(const struct route_request *q, struct route_answer *ret);
void route_rollback(const struct route_request *q, struct route_answer *ret);
/* page.c */
void route_page(const struct route_request *q, struct route_answer *ret);
void route_script(const struct route_request *q, struct route_answer *ret);
void route_view(const struct route_request *q, struct route_answer *ret);
void route_style(const struct route_request *q, struct route_answer *ret);

#endif
