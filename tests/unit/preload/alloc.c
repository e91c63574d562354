/*
 * alloc.c: which calls are sampled, and what is said of them; and that this process's allocator is found. The session, the ring and the real
 * functions are the test's own.
 */
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/alloc.h"

#define MEAN 65536U
#define CALLS 200000U

static struct wire_header header;
static struct wire_process process;
static struct wire_thread thread;
static struct shim_local local = {.alive = 1};
static _Atomic uint32_t on = 1;
static bool full; /* the ring */

struct shim shim = {.on = &on, .header = &header, .process = &process, .clock = WIRE_CLOCK_MONOTONIC};
__thread struct shim_tls shim_tls;

static struct {
	unsigned int allocs, frees, states, rests;
	int64_t asked;
	double estimated;
	struct call last;
	struct wire_alloc how;
} told;

static uint64_t now, look_ticks = 1; /* a look at the clock takes so long */

uint64_t shim_clock_monotonic(void)
{
	return now += look_ticks;
}

bool session_is_own(uintptr_t start, uintptr_t end)
{
	(void)start;
	(void)end;
	return false;
}

void *resolve_one(enum hook_id id)
{
	(void)id;
	return NULL;
}

static unsigned int slots_taken;

bool call_enter_slow(struct shim_tls *t)
{
	slots_taken++;
	t->local = &local;
	return true;
}

void emit(struct call *c, const void *data, uint32_t len, uint32_t wanted)
{
	if (full)
		return;
	thread.published++;
	told.last = *c;
	assert_int_equal(len, wanted);
	if (c->event == WIRE_ALLOC) {
		assert_int_equal(len, sizeof(told.how));
		memcpy(&told.how, data, len);
		told.allocs++;
		told.asked += c->ret;
		told.estimated += (double)c->a1 / -expm1(-(double)c->a1 / (double)told.how.mean);
	}
	told.frees += c->event == WIRE_FREE;
	told.states += c->event == WIRE_ALLOC_STATE;
	if (c->event == WIRE_ALLOC_REST) {
		told.rests++;
		told.asked += c->ret;
	}
}

/* As a hook does it. */
static bool ask(uint64_t bytes, const void *block)
{
	struct call c = {.event = WIRE_ALLOC, .fd = -1};

	if (!alloc_count(bytes) || !alloc_due(bytes))
		return false;
	alloc_say(&c, (void *)(uintptr_t)block, bytes, WIRE_ALLOC_HEAP);
	return true;
}

static int begin(void **state)
{
	(void)state;
	shim.tls_at = (int32_t)((uintptr_t)&shim_tls - cpu_thread_pointer());
	shim_tls.local = &local;
	shim_tls.ring.thread = &thread;
	memset(&told, 0, sizeof(told));
	memset(&alloc_tls, 0, sizeof(alloc_tls));
	alloc_table_clear();
	header.alloc_mean = MEAN;
	full = false;
	look_ticks = 1;
	return 0;
}

static void totals_are_exact_and_estimates_near(void **state)
{
	static const uint64_t sizes[] = {16, 24, 100, 1000, 3000, 70000, 500000};
	uint64_t asked = 0;

	(void)state;
	for (unsigned int i = 0; i < CALLS; i++) {
		const uint64_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		const void *const block = &((const char *)NULL)[(uintptr_t)(i + 1) << 4];

		asked += size;
		if (ask(size, block))
			assert_true(alloc_table_take(block));
	}
	alloc_rest();
	print_message("  %u of %u calls sampled, estimate %.4f of the truth\n", told.allocs, CALLS, told.estimated / (double)asked);
	assert_int_equal(told.rests, 1);
	assert_int_equal(told.asked, asked);
	assert_true(fabs(told.estimated / (double)asked - 1) < 0.02);
	assert_true(told.allocs < CALLS / 2);
}

/* A thread of which nothing is sampled tells at its end what it asked for: it has a slot from its first allocation on. */
static void a_short_thread_counts(void **state)
{
	static struct shim_local none;
	static struct shim_private memory;

	(void)state;
	shim.private_mem = &memory;
	shim_tls.local = &none;
	slots_taken = 0;
	(void)ask(1, &told);
	assert_int_equal(slots_taken, 0); /* a child of fork that has not joined yet */
	alloc_tls.seed = 0;
	alloc_tls.left = 0;
	memory.alive = 1;
	(void)ask(1, &told);
	(void)ask(1, &told);
	assert_int_equal(slots_taken, 1);
}

static unsigned int samples_of_calls(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < CALLS; i++)
		n += ask(1000, &told) && alloc_table_take(&told);
	return n;
}

static void a_full_ring_makes_samples_rarer(void **state)
{
	unsigned int empty, quarter, full_ring;

	(void)state;
	shim_tls.ring.mask = 4095;
	empty = samples_of_calls();
	assert_int_equal(told.how.mean, MEAN);
	thread.head = thread.tail + 1024;
	quarter = samples_of_calls();
	assert_int_equal(told.how.mean, MEAN << 2);
	thread.head = thread.tail + 4096;
	full_ring = samples_of_calls();
	thread.head = thread.tail;
	print_message("  samples of an empty ring %u, of one that is a quarter full %u, of a full one %u\n", empty, quarter,
		      full_ring);
	assert_true(quarter < empty / 2 && quarter > empty / 8);
	assert_true(full_ring < quarter / 20);
	alloc_rest();
	assert_int_equal(told.asked, 3000ULL * CALLS);
	shim_tls.ring.mask = 0;
}

static void samples_keep_to_a_share_of_the_time(void **state)
{
	unsigned int cheap, dear;

	(void)state;
	cheap = samples_of_calls();
	look_ticks = 10000;
	dear = samples_of_calls();
	print_message("  samples that take no time %u, that take all of it %u\n", cheap, dear);
	assert_true(dear < cheap / 10);
	assert_true(told.how.mean > MEAN);
	alloc_rest();
	assert_int_equal(told.asked, 2000ULL * CALLS);
	assert_true(fabs(told.estimated / (double)told.asked - 1) < 0.5);
	/* Time passes: the samples' share of it is enough again. */
	now += 1ULL << 40;
	look_ticks = 1;
	for (unsigned int n = 0; n < 3;)
		n += ask(1 << 20, &told) && alloc_table_take(&told);
	assert_int_equal(told.how.mean, MEAN);
}

static void off_nothing_is_sampled(void **state)
{
	(void)state;
	header.alloc_mean = 0;
	assert_false(alloc_wanted());
	for (unsigned int i = 0; i < 100; i++)
		assert_false(ask(1 << 20, &told));
	header.alloc_mean = MEAN;
	/* On: within a few calls. */
	unsigned int n = 0;
	while (!ask(1 << 20, &told) && n < 10)
		n++;
	assert_int_equal(told.allocs, 1);
	on = 0;
	for (unsigned int i = 0; i < 100; i++)
		assert_false(ask(1 << 20, &told));
	on = 1;
}

static void what_no_allocator_gives_is_not_counted(void **state)
{
	(void)state;
	while (!ask(1 << 20, &told))
		;
	const uint64_t left = alloc_tls.left;
	assert_false(ask((uint64_t)INT64_MAX + 100, &told));
	assert_int_equal(alloc_tls.left, left);
}

static void a_lost_record_is_made_up_for(void **state)
{
	(void)state;
	while (!ask(1 << 20, &told))
		;
	const int64_t before = told.asked;
	full = true;
	for (unsigned int n = 0; n < 20; n++)
		(void)ask(1 << 20, &local);
	assert_false(alloc_table_take(&local)); /* nobody knows of it: its end is not told */
	full = false;
	unsigned int calls = 20;
	do
		calls++;
	while (!ask(1 << 20, &thread));
	assert_int_equal(told.asked - before, (int64_t)calls << 20);
}

static void a_lost_free_is_told_later(void **state)
{
	struct call c;

	(void)state;
	while (!ask(1 << 20, &told))
		;
	assert_true(alloc_table_take(&told));
	full = true;
	alloc_say_free(&c, &told, 0);
	assert_true(alloc_untold_any());
	full = false;
	while (!ask(1 << 20, &local))
		;
	assert_false(alloc_untold_any());
	assert_int_equal(told.frees, 1);
	assert_int_equal(told.last.event, WIRE_FREE);
	assert_int_equal(told.last.a0, (uintptr_t)&told);
}

static void what_comes_meanwhile_is_not_sampled(void **state)
{
	(void)state;
	while (!ask(1 << 20, &told))
		;
	/* A signal handler runs deeper on the same stack than the bookkeeping that it interrupts. */
	alloc_tls.in = (uintptr_t)__builtin_frame_address(0) + 4096;
	for (unsigned int i = 0; i < 100; i++)
		assert_false(ask(1 << 20, &local));
	/* What was left by longjmp lies far below. */
	alloc_tls.in = (uintptr_t)__builtin_frame_address(0) - 65536;
	alloc_tls.left = 0;
	assert_true(ask(1 << 20, &local));
}

static void a_child_begins_anew(void **state)
{
	(void)state;
	while (!ask(1 << 20, &told))
		;
	alloc_forked();
	told.asked = 0;
	unsigned int calls = 0;
	do
		calls++;
	while (!ask(1000, &told) && calls < 100000);
	assert_int_equal(told.allocs, 2);
	assert_true(told.asked <= (int64_t)calls * 1000);
}

static void the_allocator_is_found(void **state)
{
	Dl_info libc;

	(void)state;
	assert_int_not_equal(dladdr((const void *)(uintptr_t)malloc, &libc), 0);
	shim.real[HOOK_dlopen] = (void *)(uintptr_t)dlopen;
	header.alloc_mean = 0;
	assert_false(alloc_find());
	header.alloc_mean = MEAN;
	assert_true(alloc_find());
	assert_ptr_equal(alloc_real[ALLOC_malloc], dlsym(RTLD_DEFAULT, "malloc"));
	assert_ptr_equal(alloc_real[ALLOC_free], dlsym(RTLD_DEFAULT, "free"));
	assert_null(alloc_real[ALLOC_reallocarray]); /* the C library's calls its realloc by a slot */
	assert_true(alloc_is_certain(ALLOC_malloc));
	assert_true(alloc_is_allocator((uintptr_t)libc.dli_fbase, (uintptr_t)libc.dli_fbase + 1));
	alloc_announce();
	assert_int_equal(told.states, 1);
	assert_int_equal(told.last.ret, WIRE_ALLOC_WATCHED);
	assert_int_equal(told.last.a0, MEAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(totals_are_exact_and_estimates_near, begin),
		cmocka_unit_test_setup(a_full_ring_makes_samples_rarer, begin),
		cmocka_unit_test_setup(samples_keep_to_a_share_of_the_time, begin),
		cmocka_unit_test_setup(off_nothing_is_sampled, begin),
		cmocka_unit_test_setup(what_no_allocator_gives_is_not_counted, begin),
		cmocka_unit_test_setup(a_lost_record_is_made_up_for, begin),
		cmocka_unit_test_setup(a_lost_free_is_told_later, begin),
		cmocka_unit_test_setup(a_short_thread_counts, begin),
		cmocka_unit_test_setup(what_comes_meanwhile_is_not_sampled, begin),
		cmocka_unit_test_setup(a_child_begins_anew, begin),
		cmocka_unit_test_setup(the_allocator_is_found, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
