/*
 * Evidence merged: per peer, phase and call site. Of one call site the strongest evidence counts; over call sites the weakest bound does.
 * Bounded by LIMIT_PEERS and DEADLINE_SITES_MAX. The session's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/deadline.h"

#define DOUBT_SHARE 4U             /* one operation in so many */
#define OUTLIVED_NS (NS_PER_S / 2) /* a wait longer than a proven bound by this and a fifth shows that it was not one */

void tally_add(struct tally *t, const struct observation *o)
{
	uint64_t i = (uint64_t)o->weight;

	if (!t->first_ns || o->first_ns < t->first_ns)
		t->first_ns = o->first_ns;
	if (o->last_ns > t->last_ns)
		t->last_ns = o->last_ns;
	if (o->waited_ns > t->waited_ns) {
		t->waited_ns = o->waited_ns;
		if (o->request_id)
			t->request_id = o->request_id;
	}
	t->operations += o->operations;
	t->calls += o->calls;
	if (!t->by_weight[i].count || (o->limit_ns > t->by_weight[i].limit_ns)) {
		t->by_weight[i].limit_ns = o->limit_ns;
		t->by_weight[i].how = o->how;
		if (o->stack)
			t->by_weight[i].stack = o->stack;
	}
	if (!t->by_weight[i].count)
		t->by_weight[i].first_ns = o->last_ns;
	t->by_weight[i].observed = t->by_weight[i].observed || o->observed;
	if (o->waited_ns > t->by_weight[i].waited_ns)
		t->by_weight[i].waited_ns = o->waited_ns;
	t->by_weight[i].count++;
}

void tally_take_back(struct tally *t, enum weight weight, uint64_t calls, uint64_t operations)
{
	t->calls -= calls < t->calls ? calls : t->calls;
	t->operations -= operations < t->operations ? operations : t->operations;
	if (t->by_weight[weight].count && --t->by_weight[weight].count == 0)
		memset(&t->by_weight[weight], 0, sizeof t->by_weight[weight]);
}

bool tally_empty(const struct tally *t)
{
	for (int i = 0; i < WEIGHTS; i++) {
		if (t->by_weight[i].count)
			return false;
	}
	return true;
}

static bool outlived(uint64_t waited_ns, uint64_t limit_ns)
{
	return waited_ns > limit_ns + limit_ns / 5 + OUTLIVED_NS;
}

/* Somebody seemed to watch over so many of an event loop's operations that it was hardly by chance. */
static bool doubtful(const struct tally *t)
{
	return t->by_weight[W_DOUBT].count * DOUBT_SHARE >= t->by_weight[W_NONE_WEAK].count;
}

/* What the strongest evidence comes to: of a bound that an undecided operation has outlived, it is open whether that one had it. */
static enum weight weight_beside(const struct tally *t, enum weight weight)
{
	const bool open = weight == W_FINITE && outlived(t->by_weight[W_UNDECIDED].waited_ns, t->by_weight[W_FINITE].limit_ns);

	return open ? W_UNDECIDED : weight;
}

struct bound tally_bound(const struct tally *t, uint64_t observed_ns)
{
	struct bound b = {.tally = t};
	const bool proven = t->by_weight[W_FINITE_PROVEN].count && !outlived(t->waited_ns, t->by_weight[W_FINITE_PROVEN].limit_ns);
	static const enum bound_kind kinds[WEIGHTS] = {
		[W_UNDECIDED] = BOUND_UNKNOWN,    [W_KERNEL] = BOUND_KERNEL, [W_NONE_WEAK] = BOUND_NONE,
		[W_DOUBT] = BOUND_UNKNOWN,        [W_FINITE] = BOUND_FINITE, [W_NONE] = BOUND_NONE,
		[W_FINITE_PROVEN] = BOUND_FINITE,
	};

	for (int i = WEIGHTS - 1; i >= 0; i--) {
		if (!t->by_weight[i].count || (i == W_FINITE_PROVEN && !proven) || (i == W_DOUBT && !doubtful(t)))
			continue;
		const enum weight at = weight_beside(t, (enum weight)i);
		b.kind = kinds[at];
		b.how = t->by_weight[at].how;
		b.limit_ns = t->by_weight[at].limit_ns;
		b.confidence = at == W_FINITE_PROVEN                                 ? CONFIDENCE_PROVEN
			       : t->by_weight[at].observed && b.kind == BOUND_FINITE ? CONFIDENCE_OBSERVED
										     : CONFIDENCE_SUSPECTED;
		if (b.kind != BOUND_FINITE && b.kind != BOUND_UNKNOWN && t->waited_ns >= observed_ns)
			b.confidence = CONFIDENCE_OBSERVED;
		return b;
	}
	if (t->by_weight[W_FINITE_PROVEN].count) { /* it gave up once, and did not another time */
		b.kind = BOUND_NONE;
		b.how = HOW_NO_GIVE_UP;
		b.confidence = CONFIDENCE_OBSERVED;
	}
	return b;
}

/* The weakest bound over the call sites of a phase, as it was seen; site 0: all of them. A limit that an undecided site has outlived bounds
 * only its own. */
static struct bound bound_at(const struct deadline_peer *p, enum phase phase, uint64_t site, uint64_t observed_ns)
{
	struct bound weakest = {0}, open = {0};

	for (uint32_t i = 0; i < p->sites_n[phase]; i++) {
		if (tally_empty(&p->sites[phase][i]) || (site && p->sites[phase][i].site != site))
			continue;
		struct bound b = tally_bound(&p->sites[phase][i], observed_ns);
		bool longer = b.kind == weakest.kind && b.kind == BOUND_FINITE && b.limit_ns > weakest.limit_ns;
		bool surer = b.kind == weakest.kind && b.kind != BOUND_FINITE && b.confidence > weakest.confidence;
		if (!weakest.tally || b.kind > weakest.kind || longer || surer)
			weakest = b;
		if (b.kind == BOUND_UNKNOWN && (!open.tally || b.tally->waited_ns > open.tally->waited_ns))
			open = b;
	}
	if (weakest.kind == BOUND_FINITE && open.tally && outlived(open.tally->waited_ns, weakest.limit_ns))
		return open;
	return weakest;
}

struct bound peer_bound(const struct deadline_peer *p, enum phase phase, uint64_t observed_ns)
{
	return bound_at(p, phase, 0, observed_ns);
}

void peer_bounds(const struct deadline_peer *p, uint64_t site, uint64_t observed_ns, struct bound ret[PHASES])
{
	static const enum phase parts[] = {PHASE_RESPONSE, PHASE_BODY};
	const struct bound total = bound_at(p, PHASE_TOTAL, site, observed_ns);

	for (unsigned int i = 0; i < PHASES; i++)
		ret[i] = bound_at(p, (enum phase)i, site, observed_ns);
	/* The kernel does not wait for a longer limit of the program's own. */
	if (ret[PHASE_CONNECT].kind == BOUND_FINITE && ret[PHASE_CONNECT].limit_ns > DEADLINE_KERNEL_NS) {
		ret[PHASE_CONNECT].kind = BOUND_KERNEL;
		ret[PHASE_CONNECT].how = HOW_KERNEL;
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct bound *part = &ret[parts[i]];
		if (part->kind == BOUND_NONE)
			ret[PHASE_TOTAL] = *part;
		if (total.kind != BOUND_FINITE)
			continue;
		bool covered = part->kind == BOUND_UNKNOWN;
		if (covered || (part->kind == BOUND_FINITE && part->limit_ns > total.limit_ns))
			*part = total;
	}
}

struct deadline_peer *deadline_peer_get(struct deadline *d, const char *name)
{
	struct deadline_peer *p;

	HASH_FIND_STR(d->peers, name, p);
	if (p)
		return p;
	if (HASH_COUNT(d->peers) >= LIMIT_PEERS) {
		d->env.counters->limit[LIMIT_REACHED_PEERS]++;
		return strcmp(name, "other") ? d->other : NULL;
	}
	p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	/* The last place belongs to all peers that find none of their own. */
	bool last = HASH_COUNT(d->peers) == LIMIT_PEERS - 1;
	snprintf(p->name, sizeof p->name, "%s", last ? "other" : name);
	HASH_ADD_STR(d->peers, name, p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	if (last)
		d->other = p;
	return p;
}

static struct tally *site_get(const struct deadline *d, struct deadline_peer *p, enum phase phase, uint32_t stack)
{
	uint64_t site = evidence_site_hash(d->env.stacks, stack);
	uint32_t *n = &p->sites_n[phase];

	for (uint32_t i = 0; i < *n; i++) {
		if (p->sites[phase][i].site == site)
			return &p->sites[phase][i];
	}
	if (*n < DEADLINE_SITES_MAX) {
		p->sites[phase][*n] = (struct tally){.site = site, .stack = stack};
		(*n)++;
	}
	return &p->sites[phase][*n - 1];
}

struct tally *deadline_count(const struct deadline *d, struct deadline_peer *p, const struct observation *o)
{
	struct tally *t = site_get(d, p, o->phase, o->stack);

	tally_add(t, o);
	return t;
}

struct tally *deadline_observe(struct deadline *d, const char *peer, const char *protocol, const struct observation *o)
{
	struct deadline_peer *p = deadline_peer_get(d, peer);

	if (!p)
		return NULL;
	if (protocol && protocol[0])
		snprintf(p->protocol, sizeof p->protocol, "%s", protocol);
	return deadline_count(d, p, o);
}

struct deadline_slow *deadline_slow_get(struct deadline *d, struct deadline_slow **table, const char *name)
{
	struct deadline_slow *s;

	HASH_FIND_STR(*table, name, s);
	if (s)
		return s;
	if (HASH_COUNT(*table) >= LIMIT_PEERS || !(s = calloc(1, sizeof *s))) {
		d->env.counters->limit[LIMIT_REACHED_PEERS]++;
		return NULL;
	}
	snprintf(s->name, sizeof s->name, "%s", name);
	HASH_ADD_STR(*table, name, s);
	if (!s->hh.tbl) {
		free(s);
		return NULL;
	}
	return s;
}

static void slow_free(struct deadline_slow **table)
{
	struct deadline_slow *s, *next;

	HASH_ITER (hh, *table, s, next) {
		HASH_DEL(*table, s);
		free(s);
	}
}

void deadline_tallies_free(struct deadline *d)
{
	struct deadline_peer *p, *next;

	HASH_ITER (hh, d->peers, p, next) {
		HASH_DEL(d->peers, p);
		free(p);
	}
	slow_free(&d->names);
	slow_free(&d->clients);
}
