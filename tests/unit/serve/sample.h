/* A board with two services, and what asks it. */
#ifndef GAPSCOPE_TESTS_SERVE_SAMPLE_H
#define GAPSCOPE_TESTS_SERVE_SAMPLE_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "serve/board.h"
#include "serve/route.h"

static inline json_t *sample_report(const char *severity)
{
	json_t *r = report_new(json_pack("{s:s, s:s, s:s, s:i, s:i}", "name", "shop", "start", "2026-11-21T10:00:00.000Z", "end",
					 "2026-11-21T10:01:00.000Z", "client_requests", 40, "server_requests", 60));

	json_object_set_new(
		r, "loss",
		json_pack("{s:i, s:i, s:i, s:i}", "published", 1000, "lost", 2, "log_bytes_seen", 5, "log_bytes_scanned", 5));
	if (severity)
		json_array_append_new(json_object_get(r, "findings"),
				      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s}}", "rule", "retry.unbounded",
						"severity", severity, "confidence", "observed", "peer", "p\"1", "operation", "GET",
						"remedy", "stop", "fingerprint", "aa", "count", 1, "call_site", "text", "f()"));
	return r;
}

/* "shop" with a finding, "web" without one, "job" never seen. The caller frees it with sample_done. */
static inline struct board *sample_board(void)
{
	struct board *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	policy_defaults(&b->policy);
	board_update(b, board_add(b, "shop", "standard", "port 80"), BOARD_WATCHING, sample_report("error"), 1);
	board_update(b, board_add(b, "web", "critical", "unit web.service"), BOARD_WATCHING, sample_report(NULL), 2);
	assert_non_null(board_add(b, "job", "internal", "name job"));
	return b;
}

static inline void sample_done(struct board *b)
{
	board_done(b);
	free(b);
}

static const char *sample_query_value;

static inline const char *sample_query(const struct route_request *q, const char *key)
{
	(void)q;
	return strcmp(key, "service") == 0 ? sample_query_value : NULL;
}

/* What a route answers; made is freed by the caller. */
static inline struct route_answer sample_ask(struct board *b, const char *method, const char *path, const char *service,
					     const char *body)
{
	struct route_request q = {
		.board = b, .query = sample_query, .body = body, .body_len = body ? strlen(body) : 0, .today = "2026-11-21"};
	struct route_answer a = {0};
	bool known;
	const struct route *r = route_find(method, path, &q.rest, &known);

	assert_non_null(r);
	sample_query_value = service;
	r->answer(&q, &a);
	return a;
}

#endif
