/*
 * Descriptors of which no record tells (files opened for reading, eventfd, dup): known by the samples of /proc/PID/fd alone, as groups that lead
 * to the same. These must grow steadily and to the end (growth.h). See fds.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/fds.h"

#define NEAR_LIMIT 0.8 /* of the limit: an error */
#define SOON_S 3600.0  /* the limit is reached by then: an error */

bool fds_limit_evidence(json_t *evidence, const struct fds_process *p, double per_s)
{
	if (!p || p->sample.fds == SAMPLE_UNKNOWN)
		return false;
	json_object_set_new(evidence, "open_now", json_integer((json_int_t)p->sample.fds));
	if (p->sample.fd_limit == SAMPLE_UNKNOWN || p->sample.fd_limit <= p->sample.fds)
		return p->sample.fd_limit <= p->sample.fds;
	const double left = (double)(p->sample.fd_limit - p->sample.fds) / per_s;
	json_object_set_new(evidence, "limit", json_integer((json_int_t)p->sample.fd_limit));
	json_object_set_new(evidence, "limit_reached_in_s", evidence_number(left));
	return left < SOON_S || (double)p->sample.fds > NEAR_LIMIT * (double)p->sample.fd_limit;
}

void fds_group_sample(struct fds *d, const struct event *e)
{
	struct fds_group *g = d->groups;
	char pattern[LIMIT_PEER_TEXT];

	snprintf(pattern, sizeof pattern, "%.*s", (int)e->data_len, (const char *)e->data);
	while (g && (g->pid != e->pid || strcmp(g->pattern, pattern) != 0))
		g = g->next;
	if (!g) {
		if (d->groups_n >= LIMIT_PEERS || !(g = calloc(1, sizeof *g)))
			return;
		memcpy(g->pattern, pattern, sizeof pattern);
		g->pid = e->pid;
		g->kind = (uint32_t)e->a1;
		g->first_ns = e->t1;
		g->next = d->groups;
		d->groups = g;
		d->groups_n++;
	}
	g->n = e->a0;
	g->last_ns = e->t1;
	growth_add(&g->growth, e->t1, (double)e->a0);
}

static void tell_group(struct fds *d, struct fds_group *g, const struct growth_trend *t, const struct fds_process *p)
{
	char message[640], site[SITE_TEXT_SIZE];
	json_t *evidence = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:i}", "kind", g->pattern, "open", (json_int_t)g->n,
				     "a_minute", evidence_number(t->per_s * 60), "a_minute_at_least",
				     evidence_number(t->low_per_s * 60), "a_minute_at_most", evidence_number(t->high_per_s * 60),
				     "over_s", evidence_number(t->seconds), "samples", (int)t->marks);
	const bool soon = fds_limit_evidence(evidence, p, t->per_s);

	/* One that was told without stays so: it would be another finding with. */
	if (g->told == 0)
		g->stack = fds_place_of(d, g->pid, g->pattern);
	snprintf(message, sizeof message, "%" PRIu64 " descriptors of %s are open, %.3g more a minute%s%s", g->n, g->pattern,
		 t->per_s * 60, g->stack ? ", most of them opened by " : "; no record says where they are opened",
		 g->stack ? evidence_site(d->env.stacks, g->stack, site, sizeof site) : "");
	const struct finding f = {
		.rule = &fds_rules[0],
		.severity = soon ? SEVERITY_ERROR : SEVERITY_WARNING,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = "",
		.operation = "open",
		.stack = g->stack,
		.key = g->pattern,
		.count = g->n > g->told ? g->n - g->told : 0,
		.first_seen_ns = g->first_ns,
		.last_seen_ns = g->last_ns,
		.evidence = evidence,
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
	g->told = g->n;
}

/* Who may have one each. */
static uint64_t owners(const struct fds_process *p, uint32_t kind)
{
	const bool of_connections = kind == SAMPLE_FD_EVENT || kind == SAMPLE_FD_EPOLL;

	return p->sample.threads + FDS_LATER_OPENS + (of_connections ? p->sample.fd_kinds[SAMPLE_FD_SOCKET] : 0);
}

void fds_judge_groups(struct fds *d, uint32_t pid, bool under_way)
{
	const double seconds = d->env.options[FDS_O_SECONDS] * (under_way ? GROWTH_UNDER_WAY : 1);

	for (struct fds_group *g = d->groups; g; g = g->next) {
		const struct fds_process *p = fds_process_of(d, g->pid, false);
		/* Names with a # or * stand for several files, and a cache may hold these. */
		const bool several = g->kind == SAMPLE_FD_FILE && strpbrk(g->pattern, "#*");
		struct growth_trend t;

		if ((pid != 0 && g->pid != pid) || g->kind == SAMPLE_FD_SOCKET || g->kind == SAMPLE_FD_PIPE || g->n <= g->told)
			continue;
		/* Of others a thread may own each, or (timers, events) a connection. */
		if (!several && p && g->n <= owners(p, g->kind))
			continue;
		/* Where most of the growth has its call site, and that was told, the group would only say it again. */
		if (growth_steady(&g->growth, seconds, d->env.options[several ? FDS_O_FILES_MIN : FDS_O_GROUP_MIN], &t) &&
		    (double)fds_told_of(d, g->pid, g->pattern) * 2 < t.to - t.from)
			tell_group(d, g, &t, p);
	}
}

void fds_forget_groups(struct fds *d, uint32_t pid)
{
	for (struct fds_group **at = &d->groups, *g = *at; g; g = *at) {
		if (pid != 0 && g->pid != pid) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		d->groups_n--;
		free(g);
	}
}
