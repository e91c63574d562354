/*
 * Verdicts as canary controllers want them. Argo Rollouts' web metric takes any answer that is not 2xx for an error, so a failing verdict
 * is a 200 with JSON; Flagger's webhooks take 200 for yes, and show the body of a 412 as the reason.
 */
#include <stdio.h>
#include <string.h>

#include "report/render_util.h"
#include "serve/route.h"

#define REASONS_SHOWN 5U

/* The verdict over the service that a request names; NULL after an error was answered. */
static json_t *verdict_for(const struct route_request *q, const char *name, struct route_answer *ret)
{
	const struct board_service *s = name ? board_find(q->board, name) : q->board->n == 1 ? &q->board->service[0] : NULL;

	if (!s) {
		answer_error(ret, 404, name ? "no service of this name is watched" : "say which service");
		return NULL;
	}
	json_t *verdict = board_verdict(q->board, s, q->today);
	if (!verdict)
		answer_error(ret, 503, "out of memory");
	return verdict;
}

void route_argo(const struct route_request *q, struct route_answer *ret)
{
	json_t *verdict = verdict_for(q, q->query(q, "service"), ret);

	if (verdict)
		answer_json(ret, 200, json_pack("{s:o}", "data", verdict));
}

/* The service that Flagger's body names: metadata.service, else the canary's own name. */
static json_t *flagger_verdict(const struct route_request *q, struct route_answer *ret)
{
	json_error_t where;
	json_t *body = json_loadb(q->body ? q->body : "", q->body_len, 0, &where);

	if (!json_is_object(body)) {
		json_decref(body);
		answer_text(ret, 400, "text/plain; charset=utf-8", "the body is no JSON object\n");
		return NULL;
	}
	const char *service = json_string_value(json_object_get(json_object_get(body, "metadata"), "service"));
	json_t *verdict = verdict_for(q, service ? service : json_string_value(json_object_get(body, "name")), ret);

	json_decref(body);
	return verdict;
}

/* "fail: retry.unbounded (new): …\n": what did not pass, a line each. */
static char *reasons(const json_t *verdict)
{
	char *text = NULL;
	size_t size = 0, i, shown = 0;
	const json_t *check;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s\n", json_text(verdict, "verdict"));
	for (int fails = 1; fails >= 0; fails--)
		json_array_foreach (json_object_get(verdict, "checks"), i, check) {
			if (strcmp(json_text(check, "state"), fails ? "fail" : "inconclusive") != 0 || shown == REASONS_SHOWN)
				continue;
			shown++;
			fprintf(out, "%s: %s\n", json_text(check, "check"), json_text(check, "text"));
		}
	return fclose(out) == 0 ? text : NULL;
}

static void answer_reasons(const json_t *verdict, unsigned int status, struct route_answer *ret)
{
	char *text = reasons(verdict);

	answer_text(ret, status, "text/plain; charset=utf-8", text ? text : "");
	ret->made = text;
}

void route_flagger(const struct route_request *q, struct route_answer *ret)
{
	json_t *verdict = flagger_verdict(q, ret);

	if (verdict)
		answer_reasons(verdict, json_is_true(json_object_get(verdict, "ok")) ? 200 : 412, ret);
	json_decref(verdict);
}

void route_rollback(const struct route_request *q, struct route_answer *ret)
{
	json_t *verdict = flagger_verdict(q, ret);

	if (verdict)
		answer_reasons(verdict, strcmp(json_text(verdict, "verdict"), "fail") == 0 ? 200 : 412, ret);
	json_decref(verdict);
}
