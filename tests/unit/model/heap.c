/*
 * Sampled allocations in the model: what each stands for, when it ends, and for which request it was made.
 */
#include "test.h"

#include <math.h>

#include "model/heap_script.h"

struct told {
	double allocated, freed;
	uint64_t asked, served;
	unsigned int allocs, frees, by_end;
};

static void on_alloc(void *ctx, const struct allocation *a)
{
	struct told *t = ctx;

	t->allocs++;
	t->allocated += a->bytes;
	t->served = a->served;
}

static void on_free(void *ctx, const struct allocation *a, double bytes, const struct event *e)
{
	struct told *t = ctx;

	assert_true(bytes <= a->bytes);
	t->frees++;
	t->by_end += e == NULL;
	t->freed += bytes;
}

static void on_asked(void *ctx, struct process *p, uint64_t bytes)
{
	struct told *t = ctx;

	assert_int_equal(p->pid, 100);
	t->asked += bytes;
}

static const struct observer observer = {.heap_alloc = on_alloc, .heap_free = on_free, .heap_asked = on_asked};

static void start(struct script *s, struct told *t)
{
	*t = (struct told){0};
	script_init(s);
	assert_int_equal(model_observe(s->model, &observer, t), 0);
	heap_state(s, WIRE_ALLOC_WATCHED);
}

/* A small block stands for a mean distance, a large one for itself. */
static void test_weights(void **state)
{
	struct script s;
	struct told t;

	(void)state;
	start(&s, &t);
	heap_alloc(&s, 0x1000, 64, 70000);
	assert_true(fabs(t.allocated - (double)HEAP_MEAN) < 64);
	t.allocated = 0;
	heap_alloc(&s, 0x2000, 64 << 20, 64 << 20);
	assert_true(fabs(t.allocated - (64 << 20)) < 1);
	assert_int_equal(t.asked, 70000 + (64 << 20));
	script_done(&s);
}

/* Over many samples, drawn as the shim draws them, the sum is the truth. */
static void test_unbiased(void **state)
{
	static const uint64_t sizes[] = {48, 4000, 300000, 5000000};
	const double mean = (double)HEAP_MEAN;
	struct script s;
	struct told t;
	uint64_t truth = 0, seed = 12345;

	(void)state;
	start(&s, &t);
	for (uint64_t i = 0; truth < UINT64_C(40) << 30; i++) {
		const uint64_t size = sizes[i % 4] * (i % 4 == 0 ? 4096 : 1);

		truth += size;
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		if ((double)(seed >> 11) * 0x1p-53 < 1 - exp(-(double)size / mean)) {
			heap_alloc(&s, 0x1000, size, 0);
			heap_free(&s, 0x1000);
		}
	}
	printf("truth %.1f GiB, estimate %.4f of it\n", (double)truth / (1 << 30), t.allocated / (double)truth);
	assert_true(fabs(t.allocated / (double)truth - 1) < 0.02);
	assert_true(fabs(t.freed - t.allocated) < 1);
	script_done(&s);
}

static void test_ends(void **state)
{
	struct script s;
	struct told t;

	(void)state;
	start(&s, &t);
	heap_alloc(&s, 0x1000, 100, 0);
	heap_free(&s, 0x1000);
	assert_int_equal(t.frees, 1);
	heap_free(&s, 0x1000); /* unknown: nothing */
	assert_int_equal(t.frees, 1);
	heap_alloc(&s, 0x1000, 100, 0);
	heap_alloc(&s, 0x1000, 100, 0); /* the same address again: its end was not told */
	assert_int_equal(t.frees, 2);
	heap_alloc_how(&s, 0x2000, 100, 0, (struct wire_alloc){.mean = HEAP_MEAN, .no_free = 1});
	heap_free(&s, 0x2000);
	assert_int_equal(t.frees, 2);
	script_event(&s, (struct event){.id = WIRE_ALLOC, .fd = -1, .a0 = 0x3000, .a1 = 10}); /* no data: none */
	assert_int_equal(t.allocs, 4);
	script_event(&s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
	assert_int_equal(t.frees, 3);
	assert_int_equal(t.by_end, 1);
	script_done(&s);
	assert_int_equal(t.frees, 3);
}

static void test_maps(void **state)
{
	struct script s;
	struct told t;

	(void)state;
	start(&s, &t);
	heap_map(&s, 0x100000, 0x10000);
	assert_true(t.allocated == 0x10000);
	heap_unmap(&s, 0x100000, 0x1000); /* its head */
	heap_unmap(&s, 0x10f000, 0x2000); /* its tail, and more */
	assert_true(t.freed == 0x2000);
	heap_unmap(&s, 0x400000, 0x1000); /* another's */
	assert_true(t.freed == 0x2000);
	heap_unmap(&s, 0x0, 0x1000000);
	assert_true(t.freed == 0x10000);
	heap_map(&s, 0x200000, 0x1000);
	heap_unmap(&s, 0x200000, 0x1000);
	assert_true(t.freed == 0x11000);
	script_done(&s);
}

static void test_requests(void **state)
{
	struct script s;
	struct told t;
	struct request r = {.server = true, .pid = 100, .tid = 100}, client = {.pid = 100, .tid = 100};

	(void)state;
	start(&s, &t);
	model_request_start(s.model, &r);
	model_request_start(s.model, &client);
	heap_alloc(&s, 0x1000, 8 << 20, 0);
	assert_int_equal(t.served, r.id);
	s.tid = 101; /* another thread's */
	heap_alloc(&s, 0x2000, 8 << 20, 0);
	assert_int_equal(t.served, 0);
	s.tid = 0;
	model_request_end(s.model, &r);
	heap_alloc(&s, 0x3000, 8 << 20, 0);
	assert_int_equal(t.served, 0);
	assert_true(fabs(r.alloc_bytes - (8 << 20)) < 1);
	assert_int_equal(r.alloc_samples, 1);
	assert_int_equal(r.alloc_largest, 8 << 20);
	assert_int_equal(client.alloc_samples, 0);
	model_request_end(s.model, &client);
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(test_weights), cmocka_unit_test(test_unbiased), cmocka_unit_test(test_ends), cmocka_unit_test(test_maps),
	  cmocka_unit_test(test_requests))
