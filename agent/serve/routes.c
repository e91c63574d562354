/*
 * The table of endpoints, and the plain ones among them (route.h).
 */
#include <stdio.h>
#include <string.h>

#include "report/render_util.h"
#include "serve/history.h"
#include "serve/route.h"

void answer_text(struct route_answer *a, unsigned int status, const char *type, const char *text)
{
	*a = (struct route_answer){.status = status, .type = type, .text = text, .len = strlen(text)};
}

void answer_json(struct route_answer *a, unsigned int status, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	json_decref(o);
	if (!text) {
		answer_text(a, 503, "text/plain; charset=utf-8", "out of memory\n");
		return;
	}
	answer_text(a, status, "application/json", text);
	a->made = text;
}

void answer_error(struct route_answer *a, unsigned int status, const char *message)
{
	answer_json(a, status, json_pack("{s:s}", "error", message));
}

static void healthz(const struct route_request *q, struct route_answer *ret)
{
	(void)q;
	answer_text(ret, 200, "text/plain; charset=utf-8", "ok\n");
}

/* Ready: every service is watched, or waited for because it does not run. */
static void readyz(const struct route_request *q, struct route_answer *ret)
{
	json_t *refused = json_array();

	for (size_t i = 0; i < q->board->n; i++)
		if (q->board->service[i].state == BOARD_REFUSED)
			json_array_append_new(refused, json_pack("{s:s, s:s}", "service", q->board->service[i].name, "why",
								 q->board->service[i].why));
	const bool ready = json_array_size(refused) == 0;
	answer_json(ret, ready ? 200 : 503, json_pack("{s:b, s:o}", "ready", ready, "refused", refused));
}

#define REASONS_SHOWN 3U

/* {verdict, why: what did not pass, the first few}: what a controller would be told now. */
static json_t *gate_now(const struct route_request *q, const struct board_service *s, json_t **ret_checks)
{
	static const char *const states[] = {"fail", "inconclusive"};
	json_t *verdict = board_verdict(q->board, s, q->today), *why = json_array();
	size_t i;
	const json_t *check;

	for (size_t k = 0; k < sizeof(states) / sizeof(*states); k++)
		json_array_foreach (json_object_get(verdict, "checks"), i, check)
			if (strcmp(json_text(check, "state"), states[k]) == 0 && json_array_size(why) < REASONS_SHOWN)
				json_array_append_new(why,
						      json_sprintf("%s: %s", json_text(check, "check"), json_text(check, "text")));
	if (ret_checks)
		*ret_checks = json_incref(json_object_get(verdict, "checks"));
	json_t *o = json_pack("{s:s, s:o}", "verdict", json_text(verdict, "verdict"), "why", why);
	json_decref(verdict);
	return o;
}

static json_t *summary_of(const struct route_request *q, const struct board_service *s, json_t **ret_checks)
{
	json_t *o = board_summary(q->board, s);

	json_object_set_new(o, "gate", gate_now(q, s, ret_checks));
	return o;
}

static void services(const struct route_request *q, struct route_answer *ret)
{
	json_t *list = json_array();

	for (size_t i = 0; i < q->board->n; i++)
		json_array_append_new(list, summary_of(q, &q->board->service[i], NULL));
	answer_json(ret, 200, json_pack("{s:I, s:o}", "version", (json_int_t)q->board->version, "services", list));
}

/* /api/v1/services/NAME: its report, with its summary and what the gate checked. */
static void service(const struct route_request *q, struct route_answer *ret)
{
	const struct board_service *s = board_find(q->board, q->rest);

	json_t *checks = NULL;

	if (!s) {
		answer_error(ret, 404, "no service of this name is watched");
		return;
	}
	json_t *summary = summary_of(q, s, &checks);
	answer_json(ret, 200, json_pack("{s:o, s:o*, s:O?}", "summary", summary, "checks", checks, "report", s->report));
}

static void findings(const struct route_request *q, struct route_answer *ret)
{
	const char *only = q->query(q, "service"), *rule = q->query(q, "rule");
	json_t *list = json_array(), *f;

	for (size_t i = 0; i < q->board->n; i++) {
		const struct board_service *s = &q->board->service[i];
		size_t k;

		if (only && strcmp(only, s->name) != 0)
			continue;
		json_array_foreach (json_object_get(s->report, "findings"), k, f) {
			json_t *copy = rule && strcmp(rule, json_text(f, "rule")) != 0 ? NULL : json_copy(f);

			if (!copy)
				continue;
			json_object_set_new(copy, "service", json_string(s->name));
			json_array_append_new(list, copy);
		}
	}
	answer_json(ret, 200, json_pack("{s:o}", "findings", list));
}

static void history(const struct route_request *q, struct route_answer *ret)
{
	if (!q->history) {
		answer_error(ret, 404, "no history is kept: the configuration names no file for it");
		return;
	}
	json_t *sessions = history_list(q->history, q->query(q, "service"));
	if (sessions)
		answer_json(ret, 200, json_pack("{s:o}", "sessions", sessions));
	else
		answer_error(ret, 503, "the history cannot be read");
}

const struct route route_table[] = {
	{"GET", "/", .open = true, .doc = "the dashboard", .answer = route_page},
	{"GET", "/app.js", .open = true, .doc = "its script", .answer = route_script},
	{"GET", "/view.js", .open = true, .doc = "the script that draws a service", .answer = route_view},
	{"GET", "/app.css", .open = true, .doc = "its style", .answer = route_style},
	{"GET", "/healthz", .open = true, .doc = "200 while the daemon runs", .answer = healthz},
	{"GET", "/readyz", .open = false, .doc = "200 when every service is watched or waited for", .answer = readyz},
	{"GET", "/metrics", .open = false, .doc = "Prometheus text: findings, scores, requests, losses", .answer = route_metrics},
	{"GET", "/api/v1/services", .doc = "each service with its score", .answer = services},
	{"GET", "/api/v1/services/", .prefix = true, .doc = "one service with its report", .answer = service},
	{"GET", "/api/v1/findings", .doc = "findings of all; ?service= and ?rule= choose", .answer = findings},
	{"GET", "/api/v1/history", .doc = "sessions that ended; ?service= chooses", .answer = history},
	{"GET", "/gate/argo", .doc = "verdict for Argo Rollouts; ?service=", .answer = route_argo},
	{"POST", "/gate/flagger", .doc = "verdict for Flagger: 200 pass, 412 not", .answer = route_flagger},
	{"POST", "/gate/flagger/rollback", .doc = "for Flagger's rollback hook: 200 when the gate fails", .answer = route_rollback},
	{0},
};

const struct route *route_find(const char *method, const char *path, const char **ret_rest, bool *ret_path_known)
{
	*ret_path_known = false;
	for (const struct route *r = route_table; r->method; r++) {
		const size_t len = strlen(r->path);

		if (r->prefix ? strncmp(path, r->path, len) != 0 || !path[len] : strcmp(path, r->path) != 0)
			continue;
		*ret_path_known = true;
		*ret_rest = path + len;
		if (strcmp(method, r->method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0))
			return r;
	}
	return NULL;
}
