/*
 * The report's section: heaviest call stacks first, all frames of each, and the rest summed up.
 */
#include "test.h"

#include "detectors/heap.h"
#include "detectors/rig.h"
#include "model/heap_script.h"

#define STACKS 1200U
#define LISTED 1000U

static void test_sites(void **state)
{
	struct rig r;
	uint64_t listed = 0;
	size_t i;
	json_t *site;

	(void)state;
	rig_init(&r, &heap_detector);
	heap_state(&r.s, WIRE_ALLOC_WATCHED);
	for (uint64_t n = 1; n <= STACKS; n++) {
		char name[32];

		snprintf(name, sizeof name, "f%u", (unsigned int)n);
		r.s.stack = rig_stack(&r, name, "shop");
		heap_map(&r.s, n << 20, n << 10);
	}
	rig_finish(&r);
	json_t *sites = json_object_get(r.section, "sites");
	assert_int_equal(json_array_size(sites), LISTED);
	json_array_foreach (sites, i, site) {
		assert_int_equal(json_integer_value(json_object_get(site, "live_bytes")), (STACKS - i) << 10);
		listed += (uint64_t)json_integer_value(json_object_get(site, "live_bytes"));
	}
	const json_t *first = json_array_get(json_object_get(json_array_get(sites, 0), "stack"), 1);
	assert_string_equal(json_string_value(json_object_get(first, "function")), "f1200");
	assert_string_equal(json_string_value(json_object_get(first, "module")), "shop");
	const uint64_t rest = (uint64_t)json_integer_value(json_object_get(json_object_get(r.section, "not_listed"), "live_bytes"));
	assert_int_equal(listed + rest, (uint64_t)STACKS * (STACKS + 1) / 2 << 10);
	rig_done(&r);
}

static void test_missing_names_are_said(void **state)
{
	static const char *const modules[] = {"libstripped.so", "[Java]", NULL};
	struct rig r;

	(void)state;
	rig_init(&r, &heap_detector);
	heap_state(&r.s, WIRE_ALLOC_WATCHED);
	for (uint64_t n = 0; n < sizeof modules / sizeof *modules; n++) {
		const struct frame frames[] = {
			{.module = modules[n] ? modules[n] : "shop", .function = modules[n] ? NULL : "order"},
			{.module = "shop", .function = "main"}};

		r.s.stack = stacks_add(r.s.stacks, frames, 2);
		heap_map(&r.s, (n + 1) << 20, 1 << 10);
	}
	rig_finish(&r);
	const json_t *unnamed = json_object_get(r.section, "unnamed");
	assert_int_equal(json_object_size(unnamed), 2);
	assert_int_equal(json_integer_value(json_object_get(unnamed, "libstripped.so")), 1);
	assert_true(rig_not_exercised(&r, "libstripped.so"));
	assert_true(rig_not_exercised(&r, "code in no file"));
	rig_done(&r);
}

/* So many samples, of `lost` more nothing but their bytes is known; so many frees and places in the table were lost. */
static void losing(struct rig *r, uint64_t n, uint64_t lost, uint64_t frees, uint64_t places)
{
	rig_init(r, &heap_detector);
	heap_state(&r->s, WIRE_ALLOC_WATCHED);
	r->s.stack = rig_stack(r, "order", "shop");
	for (uint64_t i = 0; i < n; i++)
		heap_alloc(&r->s, (i + 1) << 12, 64, HEAP_MEAN * (n + lost) / n);
	script_event(&r->s, (struct event){.id = WIRE_LOSS, .fd = -1, .a0 = WIRE_LOSS_HEAP_FREE, .a1 = frees});
	script_event(&r->s, (struct event){.id = WIRE_LOSS, .fd = -1, .a0 = WIRE_LOSS_HEAP_FULL, .a1 = places});
	rig_finish(r);
}

static void test_losses_are_said(void **state)
{
	static const char *const texts[] = {"samples of", "is at most what is told", "is at least what is told"};
	struct rig r;

	(void)state;
	losing(&r, 2000, 0, 10, 10);
	for (size_t i = 0; i < 3; i++)
		assert_false(rig_not_exercised(&r, texts[i]));
	rig_done(&r);
	losing(&r, 2000, 2000, 100, 100);
	for (size_t i = 0; i < 3; i++)
		assert_true(rig_not_exercised(&r, texts[i]));
	assert_true(rig_not_exercised(&r, "samples of 50 %"));
	/* What is left stands for all. */
	const json_t *heap = json_object_get(r.section, "heap");
	assert_int_equal(json_integer_value(json_object_get(heap, "live_bytes")), 4000 * HEAP_MEAN);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_sites), cmocka_unit_test(test_missing_names_are_said), cmocka_unit_test(test_losses_are_said))
