/*
 * Merging evidence: per call site the strongest counts, over call sites the weakest bound; and the limits of the tables.
 */
#include "detectors/deadline.h"
#include "detectors/rig.h"

#define OBSERVED (30 * NS_PER_S)

static struct bound merged(const struct observation *o, size_t n)
{
	struct tally t = {0};

	for (size_t i = 0; i < n; i++)
		tally_add(&t, &o[i]);
	struct bound b = tally_bound(&t, OBSERVED);
	b.tally = NULL;
	return b;
}

static const struct observation forever = {.weight = W_NONE, .how = HOW_CALL_FOREVER, .waited_ns = NS_PER_S};
static const struct observation limit3 = {.weight = W_FINITE, .how = HOW_CALL_LIMIT, .limit_ns = 3 * NS_PER_S};
static const struct observation proven3 = {.weight = W_FINITE_PROVEN, .how = HOW_GAVE_UP, .limit_ns = 3 * NS_PER_S};
static const struct observation waited40 = {.weight = W_NONE, .how = HOW_CALL_FOREVER, .waited_ns = 40 * NS_PER_S};
static const struct observation loop = {.weight = W_NONE_WEAK, .how = HOW_LOOP_FOREVER};
static const struct observation doubt = {.weight = W_DOUBT, .how = HOW_OTHER_THREAD};
static const struct observation undecided = {.weight = W_UNDECIDED, .how = HOW_LOOP_TIMER};
static const struct observation waits40 = {.weight = W_UNDECIDED, .how = HOW_OTHER_THREAD, .waited_ns = 40 * NS_PER_S};
static const struct observation waits3 = {.weight = W_UNDECIDED, .how = HOW_OTHER_THREAD, .waited_ns = 3 * NS_PER_S};

#define MERGED(...) \
	merged((const struct observation[]){__VA_ARGS__}, \
	       sizeof((const struct observation[]){__VA_ARGS__}) / sizeof(struct observation))

static void test_of_one_site(void **state)
{
	(void)state;
	assert_int_equal(merged(NULL, 0).kind, BOUND_UNKNOWN);
	assert_int_equal(MERGED(undecided).kind, BOUND_UNKNOWN);
	assert_int_equal(MERGED(undecided, loop).kind, BOUND_NONE);
	assert_int_equal(MERGED(loop, limit3).kind, BOUND_FINITE);
	assert_int_equal(MERGED(loop, loop, doubt).kind, BOUND_UNKNOWN);
	assert_int_equal(MERGED(loop, loop, loop, loop, loop, doubt).kind, BOUND_NONE); /* by chance */
	assert_int_equal(MERGED(doubt, forever).kind, BOUND_NONE);
	assert_int_equal(MERGED(limit3, forever).kind, BOUND_NONE);
	assert_int_equal(MERGED(forever, proven3).kind, BOUND_FINITE);
	assert_int_equal(MERGED(forever, proven3).confidence, CONFIDENCE_PROVEN);
	assert_int_equal(MERGED(proven3, waited40).kind, BOUND_NONE); /* it waited on another time */
	assert_int_equal(MERGED(limit3, waits3).kind, BOUND_FINITE);
	assert_int_equal(MERGED(limit3, waits40).kind, BOUND_UNKNOWN); /* whatever bounds that one, it is not the other's limit */
	assert_int_equal(MERGED(limit3, waits40).how, HOW_OTHER_THREAD);
	assert_int_equal(MERGED(limit3, loop, waits40).kind, BOUND_UNKNOWN);
	assert_int_equal(MERGED(limit3, waits40, forever).kind, BOUND_NONE);
	assert_int_equal(MERGED(proven3, waits3).kind, BOUND_FINITE);
	assert_int_equal(MERGED(waited40).confidence, CONFIDENCE_OBSERVED);
	assert_int_equal(MERGED(forever).confidence, CONFIDENCE_SUSPECTED);
}

static void observe(struct deadline *d, uint32_t stack, struct observation o)
{
	o.phase = PHASE_RESPONSE;
	o.stack = stack;
	o.operations = 1;
	deadline_observe(d, "payments:443", "http", &o);
}

static void test_weakest_site_wins(void **state)
{
	struct rig r;
	struct deadline d = {0};
	struct observation limit9 = limit3;

	(void)state;
	rig_init(&r, detector_table[0]);
	d.env.stacks = r.s.stacks;
	d.env.counters = &r.s.counters;
	limit9.limit_ns = 9 * NS_PER_S;
	observe(&d, rig_stack(&r, "a", "shop"), proven3);
	observe(&d, rig_stack(&r, "b", "shop"), limit9);
	struct deadline_peer *p = deadline_peer_get(&d, "payments:443");
	assert_int_equal(peer_bound(p, PHASE_RESPONSE, OBSERVED).limit_ns, 9 * NS_PER_S);
	observe(&d, rig_stack(&r, "w", "shop"), waits3);
	assert_int_equal(peer_bound(p, PHASE_RESPONSE, OBSERVED).kind, BOUND_FINITE);
	observe(&d, rig_stack(&r, "w", "shop"), waits40);
	assert_int_equal(peer_bound(p, PHASE_RESPONSE, OBSERVED).kind, BOUND_UNKNOWN);
	observe(&d, rig_stack(&r, "c", "shop"), forever);
	assert_int_equal(peer_bound(p, PHASE_RESPONSE, OBSERVED).kind, BOUND_NONE);
	assert_null(peer_bound(p, PHASE_BODY, OBSERVED).tally);
	for (unsigned int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%u", i);
		observe(&d, rig_stack(&r, name, "shop"), proven3);
	}
	assert_int_equal(p->sites_n[PHASE_RESPONSE], DEADLINE_SITES_MAX);
	deadline_tallies_free(&d);
	rig_finish(&r);
	rig_done(&r);
}

/* Peers beyond the limit share one place, and are counted. */
static void test_peers_are_bounded(void **state)
{
	struct rig r;
	struct deadline d = {0};

	(void)state;
	rig_init(&r, detector_table[0]);
	d.env.stacks = r.s.stacks;
	d.env.counters = &r.s.counters;
	for (unsigned int i = 0; i < LIMIT_PEERS + 50; i++) {
		char name[32];
		snprintf(name, sizeof name, "peer%u:80", i);
		deadline_observe(&d, name, "", &(struct observation){.phase = PHASE_RESPONSE, .weight = W_NONE, .operations = 1});
		assert_non_null(deadline_slow_get(&d, &d.names, "name"));
	}
	assert_int_equal(HASH_COUNT(d.peers), LIMIT_PEERS);
	assert_int_equal(r.s.counters.limit[LIMIT_REACHED_PEERS], 50);
	assert_non_null(d.other);
	assert_int_equal(d.other->sites[PHASE_RESPONSE][0].operations, 51);
	deadline_tallies_free(&d);
	rig_finish(&r);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_one_site),
		cmocka_unit_test(test_weakest_site_wins),
		cmocka_unit_test(test_peers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
