/*
 * The retry budget: which share of a peer's requests are retries, over the last ten seconds of session time (Google SRE: under 10 % a
 * client; Envoy and Finagle: 20 %). Bounded by LIMIT_PEERS; the session's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/retry.h"

static struct retry_peer *peer_get(struct retry *r, const char *name)
{
	struct retry_peer *p;

	HASH_FIND_STR(r->peers, name, p);
	if (p)
		return p;
	if (HASH_COUNT(r->peers) >= LIMIT_PEERS || !(p = calloc(1, sizeof *p))) {
		r->env.counters->limit[LIMIT_REACHED_PEERS]++;
		return NULL;
	}
	snprintf(p->name, sizeof p->name, "%s", name);
	HASH_ADD_STR(r->peers, name, p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

/* Clear the slots of the seconds that have passed since the newest one. */
static void advance(struct retry_peer *p, uint64_t second)
{
	if (second <= p->second)
		return;
	uint64_t steps = second - p->second < RETRY_BUDGET_SECONDS ? second - p->second : RETRY_BUDGET_SECONDS;
	for (uint64_t i = 1; i <= steps; i++) {
		p->requests[(p->second + i) % RETRY_BUDGET_SECONDS] = 0;
		p->retries[(p->second + i) % RETRY_BUDGET_SECONDS] = 0;
	}
	if (steps == RETRY_BUDGET_SECONDS) {
		memset(p->requests, 0, sizeof p->requests);
		memset(p->retries, 0, sizeof p->retries);
	}
	p->second = second;
}

void retry_budget_count(struct retry *r, const struct retry_key *k, uint64_t now_ns, bool retry, uint32_t stack)
{
	struct retry_peer *p = peer_get(r, k->peer);
	uint64_t requests = 0, retries = 0;

	if (!p)
		return;
	advance(p, now_ns / NS_PER_S);
	p->requests[p->second % RETRY_BUDGET_SECONDS]++;
	if (!retry)
		return;
	p->retries[p->second % RETRY_BUDGET_SECONDS]++;
	for (unsigned int i = 0; i < RETRY_BUDGET_SECONDS; i++) {
		requests += p->requests[i];
		retries += p->retries[i];
	}
	if ((double)requests < r->env.options[RETRY_O_BUDGET_RATE] * RETRY_BUDGET_SECONDS)
		return;
	double share = 100.0 * (double)retries / (double)requests;
	if (share <= r->env.options[RETRY_O_BUDGET_WARN])
		return;
	struct retry_hit *h = &p->hit;
	if (h->count == h->told)
		h->first_ns = now_ns;
	h->count++;
	h->last_ns = now_ns;
	h->confidence = CONFIDENCE_OBSERVED;
	if (share > r->env.options[RETRY_O_BUDGET_ERROR])
		h->severity = SEVERITY_ERROR;
	else if (h->severity < SEVERITY_WARNING)
		h->severity = SEVERITY_WARNING;
	if ((uint64_t)(share * 10.0) > h->detail)
		h->detail = (uint64_t)(share * 10.0);
	p->stack = stack;
	p->key = k;
}

void retry_budget_free(struct retry *r)
{
	struct retry_peer *p, *next;

	HASH_ITER (hh, r->peers, p, next) {
		HASH_DEL(r->peers, p);
		free(p);
	}
}
