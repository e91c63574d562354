/*
 * What counts as growth, and what as never freed: leaks do, whatever else a program does with memory does not.
 */
#include "test.h"

#include "detectors/heap.h"
#include "detectors/rig.h"
#include "model/heap_script.h"

#define SECONDS 120U
#define PER_SECOND 20U
#define FIRST_LINE 1U /* of the first second, which holds little */
#define LINE 9U

/* How much of what was allocated until second s is given back by then, and how much is allocated in it. */
struct plan {
	uint64_t (*alloc)(uint64_t s);
	uint64_t (*freed)(uint64_t s); /* blocks in all, oldest first */
};

static uint32_t at_line(struct rig *r, uint32_t line)
{
	const struct frame f = {.function = "work", .module = "shop", .file = "shop.py", .line = line};

	return stacks_add(r->s.stacks, &f, 1);
}

static void play(struct rig *r, const struct plan *p, unsigned int seconds)
{
	uint64_t made = 0, freed = 0;

	rig_init(r, &heap_detector);
	heap_state(&r->s, WIRE_ALLOC_WATCHED);
	r->s.stack = at_line(r, FIRST_LINE);
	for (uint64_t s = 0; s < seconds; s++) {
		const uint64_t n = p->alloc(s);

		if (s > 0)
			r->s.stack = at_line(r, LINE);
		for (uint64_t i = 0; i < n; i++) {
			heap_alloc(&r->s, 0x1000 + 16 * made++, 200000, HEAP_MEAN);
			script_pass(&r->s, SCRIPT_SEC / n - SCRIPT_MSEC);
		}
		script_pass(&r->s, n ? n * SCRIPT_MSEC : SCRIPT_SEC);
		for (const uint64_t until = p->freed(s); freed < until && freed < made; freed++)
			heap_free(&r->s, 0x1000 + 16 * freed);
		script_tick(&r->s);
	}
}

static uint64_t steady(uint64_t s)
{
	(void)s;
	return PER_SECOND;
}

static uint64_t never(uint64_t s)
{
	(void)s;
	return 0;
}

static uint64_t half(uint64_t s)
{
	return s * PER_SECOND / 2;
}

static uint64_t all_but_a_pool(uint64_t s)
{
	return s > 10 ? (s - 10) * PER_SECOND : 0;
}

static uint64_t at_start(uint64_t s)
{
	return s < 20 ? PER_SECOND : 0;
}

static uint64_t slower_and_slower(uint64_t s)
{
	return 40 * PER_SECOND / (1 + s * s / 4);
}

/* A cache that is thrown away whole every half a minute. */
static uint64_t in_rounds(uint64_t s)
{
	return s / 30 * 30 * PER_SECOND;
}

static uint64_t one_a_second(uint64_t s)
{
	(void)s;
	return 1;
}

/* Full after eight minutes: the oldest goes then. */
static uint64_t all_but_480(uint64_t s)
{
	return s > 480 ? s - 480 : 0;
}

static const struct rig_finding *growth(const struct plan *p, struct rig *r)
{
	play(r, p, SECONDS);
	rig_finish(r);
	rig_print(r);
	return rig_found(r, "resource.heap.growth");
}

static void test_leaks(void **state)
{
	static const struct plan plans[] = {{steady, never}, {steady, half}};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct rig_finding *f = growth(&plans[i], &r);

		assert_non_null(f);
		assert_string_equal(f->key, "work");
		assert_int_equal(stacks_site(r.s.stacks, f->stack)->line, LINE);
		const double low = json_number_value(json_object_get(f->evidence, "bytes_per_s_low"));
		const double high = json_number_value(json_object_get(f->evidence, "bytes_per_s_high"));
		const double slope = json_number_value(json_object_get(f->evidence, "bytes_per_s"));
		assert_true(low > 0 && low <= slope && slope <= high);
		rig_done(&r);
	}
}

static void test_no_leaks(void **state)
{
	static const struct plan plans[] = {
		{steady, all_but_a_pool}, {at_start, never}, {slower_and_slower, never}, {steady, in_rounds}};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		assert_null(growth(&plans[i], &r));
		rig_done(&r);
	}
}

/* A cache that fills evenly looks like a leak until it is full: nothing is said while it may be one, and only then is it sure. */
static void test_fills_for_long(void **state)
{
	static const struct plan cache = {one_a_second, all_but_480}, leak = {one_a_second, never};
	struct rig r;

	(void)state;
	play(&r, &cache, 900);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
	play(&r, &cache, 450);
	assert_int_equal(r.found_n, 0);
	rig_finish(&r);
	assert_int_equal(rig_found(&r, "resource.heap.growth")->confidence, CONFIDENCE_SUSPECTED);
	rig_done(&r);
	play(&r, &leak, 2700);
	assert_int_equal(rig_found(&r, "resource.heap.growth")->confidence, CONFIDENCE_OBSERVED);
	rig_done(&r);
}

/* Few samples, and little time, prove nothing. */
static void test_too_little(void **state)
{
	static const struct plan leak = {steady, never};
	struct rig r;

	(void)state;
	play(&r, &leak, 18);
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void end(struct rig *r, const struct plan *p)
{
	play(r, p, 8);
	script_event(&r->s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
	script_event(&r->s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	rig_finish(r);
}

static void test_never_freed(void **state)
{
	static const struct plan leak = {steady, never}, pool = {steady, all_but_a_pool}, some = {steady, half};
	struct rig r;

	(void)state;
	end(&r, &leak);
	const struct rig_finding *f = rig_found(&r, "resource.heap.never_freed");
	assert_non_null(f);
	assert_int_equal(f->count, 8 * PER_SECOND);
	rig_done(&r);
	end(&r, &some);
	assert_null(rig_found(&r, "resource.heap.never_freed"));
	rig_done(&r);
	/* Held until the end, but given back then. */
	play(&r, &pool, 8);
	for (uint64_t i = 0; i < 8 * PER_SECOND; i++)
		heap_free(&r.s, 0x1000 + 16 * i);
	script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
	script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

/* Where frees could not be told, nothing looks like what it is. */
static void test_lost_frees(void **state)
{
	static const struct plan leak = {steady, never};
	struct rig r;

	(void)state;
	play(&r, &leak, SECONDS);
	script_event(&r.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a0 = WIRE_LOSS_HEAP_FREE, .a1 = SECONDS * PER_SECOND / 10});
	rig_finish(&r);
	assert_int_equal(r.found_n, 0);
	rig_done(&r);
}

static void test_ages(void **state)
{
	struct heap_ages a = {0};
	uint32_t alive = 0;

	(void)state;
	for (uint64_t t = 1; t <= 1000; t++)
		heap_ages_add(&a, t * SCRIPT_SEC);
	for (uint64_t t = 1; t <= 1000; t += 2)
		heap_ages_remove(&a, t * SCRIPT_SEC);
	for (unsigned int i = 0; i < HEAP_AGES; i++)
		alive += a.alive[i];
	assert_int_equal(alive, 500);
}

TEST_MAIN(cmocka_unit_test(test_leaks), cmocka_unit_test(test_no_leaks), cmocka_unit_test(test_fills_for_long),
	  cmocka_unit_test(test_too_little), cmocka_unit_test(test_never_freed), cmocka_unit_test(test_lost_frees),
	  cmocka_unit_test(test_ages))
