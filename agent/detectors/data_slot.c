/*
 * Numbers that pass a check by chance. A log line prints an order number or a counter at the same place each time, and one in ten has the
 * check digit of a card. What the place held all in all tells (ingest/learn.h counts it): where most numbers fail the check it is not one
 * that they are made with. Matches of a place are held until it is judged, or for HOLD_NS; what was left out is explained in the report.
 *
 * Owns d->places and d->held; the session's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/data.h"
#include "detectors/evidence.h"

#define HOLD_NS 30000000000U /* a log that is written rarely: told all the same */
#define FAILED_MIN 3U        /* numbers that failed; of fewer nothing follows */
#define CHANCE_PERCENT 30U   /* at most so many passed: by chance it is 10, for real 100 but for typing errors */
#define VALUES_MIN 8U        /* numbers after which a place is known to hold real ones */
#define STEPS_PERCENT 80U    /* so many follow by the same step: it counts */

enum verdict { UNDECIDED, REAL, COUNTER, CHANCE };

struct data_place {
	uint64_t slot;
	uint32_t values, passed;
	enum verdict verdict;
	UT_hash_handle hh;
};

struct held_key {
	struct data_group *group;
	uint64_t slot;
};

struct data_held {
	struct held_key key;
	struct data_tally tally;
	UT_hash_handle hh;
};

static enum verdict judge(const struct log_slot *s)
{
	const uint32_t failed = s->values - s->passed;

	if (failed >= FAILED_MIN && s->passed * 100 <= s->values * CHANCE_PERCENT)
		return CHANCE;
	if (failed >= FAILED_MIN && s->equal_steps * 100 >= s->values * STEPS_PERCENT)
		return COUNTER;
	return s->values >= VALUES_MIN && s->passed * 2 > s->values ? REAL : UNDECIDED;
}

static struct data_place *place_of(struct data *d, uint64_t slot, bool make)
{
	struct data_place *p;

	HASH_FIND(hh, d->places, &slot, sizeof slot, p);
	if (p || !make || HASH_COUNT(d->places) >= LIMIT_FINDINGS || !(p = calloc(1, sizeof *p)))
		return p;
	p->slot = slot;
	HASH_ADD(hh, d->places, slot, sizeof p->slot, p);
	return p;
}

static void release(struct data *d, struct data_held *h)
{
	const struct data_place *p = place_of(d, h->key.slot, false);

	if (p) {
		h->key.group->values += p->values;
		h->key.group->passed += p->passed;
	}
	data_group_take(h->key.group, &h->tally);
	HASH_DEL(d->held, h);
	free(h);
}

void data_slot(void *ctx, const struct log_slot *s)
{
	struct data *d = ctx;
	struct data_place *p = place_of(d, s->id, true);
	struct data_held *h, *next;

	if (!p)
		return;
	p->values = s->values;
	p->passed = s->passed;
	p->verdict = judge(s);
	if (p->verdict != REAL)
		return;
	HASH_ITER (hh, d->held, h, next) {
		if (h->key.slot == s->id)
			release(d, h);
	}
}

bool data_slot_holds(struct data *d, struct data_group *g, const struct log_match *m)
{
	struct held_key key;
	struct data_held *h;
	const struct data_place *p;

	if (!m->slot)
		return false;
	p = place_of(d, m->slot, false);
	if (p && p->verdict == REAL)
		return false;
	memset(&key, 0, sizeof key);
	key.group = g;
	key.slot = m->slot;
	HASH_FIND(hh, d->held, &key, sizeof key, h);
	if (!h) {
		if (HASH_COUNT(d->held) >= LIMIT_FINDINGS || !(h = calloc(1, sizeof *h)))
			return false;
		h->key = key;
		HASH_ADD(hh, d->held, key, sizeof key, h);
	}
	data_tally_add(d, &h->tally, m);
	return true;
}

static enum verdict verdict_of(struct data *d, const struct data_held *h)
{
	const struct data_place *p = place_of(d, h->key.slot, false);

	return p ? p->verdict : UNDECIDED;
}

/* One function writes the same line by several stacks, and too few by one of them to judge: then the others' verdict holds. */
static bool left_out(struct data *d, const struct data_held *h)
{
	if (verdict_of(d, h) != UNDECIDED)
		return verdict_of(d, h) != REAL;
	for (const struct data_held *o = d->held; o; o = o->hh.next) {
		if (o->key.group == h->key.group && o->key.slot >> 32 == h->key.slot >> 32 && verdict_of(d, o) > REAL)
			return true;
	}
	return false;
}

void data_slots_release(struct data *d, uint64_t now_ns, bool all)
{
	struct data_held *h, *next;

	HASH_ITER (hh, d->held, h, next) {
		if ((all || now_ns >= h->tally.first_ns + HOLD_NS) && !left_out(d, h))
			release(d, h);
	}
}

void data_slots_explain(struct data *d, json_t *notes)
{
	char site[SITE_TEXT_SIZE], text[2 * SITE_TEXT_SIZE + 256];

	for (const struct data_held *h = d->held; h; h = h->hh.next) {
		const struct data_group *g = h->key.group;
		const struct data_place *p = place_of(d, h->key.slot, false);
		const char *why =
			p && p->verdict == COUNTER ? "each follows the one before by the same step" : "so many do by chance";

		if (!p)
			continue;
		snprintf(text, sizeof text,
			 "data: %" PRIu64 " numbers in %s, from %s, could each be a %s, and are none: of %" PRIu32
			 " different ones at that place of the line %" PRIu32 " pass the check, %s",
			 h->tally.count, g->sink, evidence_site(d->env.stacks, g->stack, site, sizeof site), g->key.entity->title,
			 p->values, p->passed, why);
		json_array_append_new(notes, json_string(text));
	}
}

void data_slots_free(struct data *d)
{
	struct data_held *h, *h_next;
	struct data_place *p, *p_next;

	HASH_ITER (hh, d->held, h, h_next) {
		HASH_DEL(d->held, h);
		free(h);
	}
	HASH_ITER (hh, d->places, p, p_next) {
		HASH_DEL(d->places, p);
		free(p);
	}
}
