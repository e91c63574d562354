/*
 * What the daemon knows (board.h).
 */
#include "serve/board.h"

#include <stdio.h>
#include <string.h>

#include "gate/verdict.h"
#include "report/render_util.h"
#include "report/report.h"
#include "report/score.h"

static const char *const state_names[] = {
	[BOARD_WAITING] = "waiting", [BOARD_WATCHING] = "watching", [BOARD_ENDED] = "ended", [BOARD_REFUSED] = "refused"};

struct board_service *board_find(struct board *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->service[i].name, name) == 0)
			return &b->service[i];
	return NULL;
}

struct board_service *board_add(struct board *b, const char *name, const char *tier, const char *target)
{
	if (b->n == BOARD_SERVICES_MAX || board_find(b, name))
		return NULL;

	struct board_service *s = &b->service[b->n++];

	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->tier, sizeof(s->tier), "%s", tier);
	snprintf(s->target, sizeof(s->target), "%s", target);
	return s;
}

void board_update(struct board *b, struct board_service *s, enum board_state state, json_t *report, uint64_t now_s)
{
	if (state == BOARD_WATCHING && s->state != BOARD_WATCHING) {
		s->sessions++;
		json_decref(s->report);
		s->report = NULL;
	}
	s->state = state;
	s->updated_s = now_s;
	if (report) {
		json_decref(s->report);
		s->report = report;
	}
	b->version++;
}

void board_done(struct board *b)
{
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->service[i].report);
	b->n = 0;
}

json_t *board_summary(const struct board *b, const struct board_service *s)
{
	const json_t *service = json_object_get(s->report, "service"), *loss = json_object_get(s->report, "loss");
	json_t *findings = json_object(), *score = s->report ? score_of(s->report, s->tier) : NULL;

	(void)b;
	for (int i = SEVERITY_CRITICAL; i >= SEVERITY_INFO; i--) {
		const char *severity = severity_name((enum severity)i);

		json_object_set_new(findings, severity, json_integer((json_int_t)report_count(s->report, severity)));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "name", s->name, "state",
			 state_names[s->state], "target", s->target, "tier", s->tier, "why", s->why, "updated",
			 (json_int_t)s->updated_s, "sessions", (json_int_t)s->sessions, "score", score ? score : json_null(),
			 "findings", findings, "client_requests", json_number(service, "client_requests"), "server_requests",
			 json_number(service, "server_requests"), "published", json_number(loss, "published"), "lost",
			 json_number(loss, "lost"));
}

/* Why what is known of a service says nothing of now; NULL if it does. */
static const char *not_of_now(const struct board *b, const struct board_service *s)
{
	if (s->state != BOARD_WATCHING)
		return state_names[s->state];
	if (!s->report)
		return "just begun";
	return b->now_s > s->updated_s + BOARD_SILENT_S ? "its session is silent" : NULL;
}

json_t *board_verdict(struct board *b, const struct board_service *s, const char *today)
{
	const struct board_service *stable = *s->stable ? board_find(b, s->stable) : NULL;
	json_t *none = report_new(json_pack("{s:s}", "name", s->name));
	const struct gate_input in = {
		.policy = &b->policy,
		.report = s->report ? s->report : none,
		/* A stable version that was not seen is not the same as none: nobody knows what it has, too. */
		.baseline = !*s->stable                ? NULL
			    : stable && stable->report ? stable->report
						       : none,
		.today = today,
		.settle_s = BOARD_SETTLE_S,
		.unwatched = not_of_now(b, s),
	};
	policy_tier(&b->policy, s->tier);
	json_t *verdict = gate_judge(&in);

	json_decref(none);
	return verdict;
}
