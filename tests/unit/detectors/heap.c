/*
 * The heap detector as a whole: totals are exact, sites and groups are kept apart, and an unwatched session says nothing.
 */
#include "test.h"

#include "detectors/detectors.h"
#include "detectors/rig.h"
#include "model/heap_script.h"

static void test_totals(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &heap_detector);
	heap_state(&r.s, WIRE_ALLOC_WATCHED);
	r.s.stack = rig_stack(&r, "parse", "shop");
	heap_alloc(&r.s, 0x1000, 100, 400000);
	heap_alloc(&r.s, 0x2000, 100, 600000);
	heap_free(&r.s, 0x2000);
	r.s.stack = rig_stack(&r, "pool", "shop");
	heap_map(&r.s, 0x100000, 0x10000);
	script_event(&r.s, (struct event){.id = WIRE_ALLOC_REST, .fd = -1, .ret = 5});
	rig_finish(&r);
	json_t *heap = json_object_get(r.section, "heap"), *mapped = json_object_get(r.section, "mapped");
	assert_int_equal(json_integer_value(json_object_get(r.section, "asked_bytes")), 1000005);
	/* Estimates are scaled so that their sum is what was asked for. */
	assert_int_equal(json_integer_value(json_object_get(heap, "alloc_bytes")), 1000005);
	assert_in_range(json_integer_value(json_object_get(heap, "live_bytes")), 500002, 500003);
	assert_int_equal(json_integer_value(json_object_get(mapped, "live_bytes")), 0x10000);
	assert_int_equal(json_array_size(json_object_get(r.section, "sites")), 2);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_not_watched(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &heap_detector);
	heap_state(&r.s, WIRE_ALLOC_STATIC);
	rig_finish(&r);
	assert_null(r.section);
	assert_true(rig_not_exercised(&r, "linked into itself"));
	rig_done(&r);
	rig_init(&r, &heap_detector);
	rig_finish(&r);
	assert_null(r.section);
	assert_int_equal(json_array_size(r.not_exercised), 0);
	rig_done(&r);
}

/* A child's memory is its own, and what it held is no part of the picture when it lived for a short while only. */
static void test_processes(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, &heap_detector);
	heap_state(&r.s, WIRE_ALLOC_WATCHED);
	r.s.stack = rig_stack(&r, "work", "shop");
	heap_alloc(&r.s, 0x1000, 100, 1000000);
	script_pass(&r.s, 100 * SCRIPT_SEC);
	script_fork(&r.s, 200);
	r.s.pid = 200;
	heap_alloc(&r.s, 0x1000, 100, 1000000);
	script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	r.s.pid = 100;
	rig_finish(&r);
	json_t *heap = json_object_get(r.section, "heap");
	assert_int_equal(json_integer_value(json_object_get(heap, "alloc_bytes")), 2000000);
	assert_int_equal(json_integer_value(json_object_get(heap, "live_bytes")), 1000000);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_totals), cmocka_unit_test(test_not_watched), cmocka_unit_test(test_processes))
