/* go_before.c: looks at a Go runtime that lies in the test's own variables. */
#include "commands/go_before.h"

#include <unistd.h>

#include "go_runtime.h"
#include "go_table.h"

#define MS 1000000ULL
#define SECOND (1000 * MS)
#define NOW (50 * SECOND)
#define UNTOLD (-99)

enum { CALLS, PAYS };
static const char *const names[] = {[CALLS] = "time.goFunc", [PAYS] = "main.pay.func1", NULL};

/* Not known to the compiler: it is to lie where a program's variables do. */
static volatile uint64_t all[3];
static uint64_t p[GO_P_WORDS], array[1], heap[1], timer[9], calls[1], pays[1];
static int64_t others;

static void hear(void *ctx, const struct wire_record *r)
{
	(void)ctx;
	if (r->a0 == WIRE_DEADLINE_OTHERS)
		others = (int64_t)r->a1;
}

static void hear_sleep(void *ctx, uint32_t tid, const struct wire_record *r)
{
	(void)ctx;
	(void)tid;
	(void)r;
	fail();
}

static void hear_reads(void *ctx, int fd, uint64_t now_ns, const uint64_t callers[GO_CALLERS], bool body)
{
	(void)ctx;
	(void)fd;
	(void)now_ns;
	(void)callers;
	(void)body;
	fail();
}

static const struct go_sink to = {.reads = hear_reads, .say = hear, .sleeps = hear_sleep};

static int64_t look(struct go_before *b, struct go_deadlines *g, uint64_t now_ns)
{
	go_before_tick(b, g, now_ns, &to);
	go_deadlines_tick(g, now_ns, &to);
	return others;
}

static void runtime(uint64_t when)
{
	const uint64_t w[9] = {go_at(p), when, 0, go_at(calls), 0, go_at(pays), 0, 0, 1};

	go_p(p, 0);
	array[0] = go_at(p);
	all[1] = all[2] = 1;
	all[0] = go_at(array);
	calls[0] = go_address(CALLS);
	pays[0] = go_address(PAYS);
	memcpy(timer, w, sizeof(w));
	heap[0] = go_at(timer);
	go_heap(p, heap, when != 0);
}

static void all_is_known_by_the_second_look(void **state)
{
	struct gopclntab *t = go_table(names);
	struct go_before b;
	struct go_deadlines *g;

	(void)state;
	runtime(NOW + 3 * SECOND);
	go_before_begin(&b, (uint32_t)getpid(), t);
	g = go_deadlines_new(t, false);
	others = UNTOLD;
	assert_int_equal(look(&b, g, NOW), UNTOLD);
	assert_int_equal(look(&b, g, NOW + 50 * MS), UNTOLD);
	assert_true(look(&b, g, NOW + 100 * MS) == (int64_t)(2900 * MS));
	/* One that was in no heap before. */
	runtime(NOW + 9 * SECOND);
	assert_true(look(&b, g, NOW + 500 * MS) == (int64_t)(8500 * MS));
	assert_int_equal(look(&b, g, NOW + 9 * SECOND), -1);
	go_deadlines_free(g);
}

static void nothing_is_known_of_what_does_not_check(void **state)
{
	struct gopclntab *t = go_table(names);
	struct go_before b;
	struct go_deadlines *g;

	(void)state;
	runtime(0);
	p[GO_LOCK_AT + 4] = 7; /* another count */
	go_before_begin(&b, (uint32_t)getpid(), t);
	g = go_deadlines_new(t, false);
	others = UNTOLD;
	for (uint64_t s = 0; s < 100; s++)
		assert_int_equal(look(&b, g, NOW + s * SECOND), UNTOLD);
	/* It is looked for no longer. */
	runtime(0);
	assert_int_equal(look(&b, g, NOW + 200 * SECOND), UNTOLD);
	go_deadlines_free(g);
}

TEST_MAIN(cmocka_unit_test(all_is_known_by_the_second_look), cmocka_unit_test(nothing_is_known_of_what_does_not_check))
