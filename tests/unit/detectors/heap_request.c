/*
 * Memory by request: averages by operation, and sizes that requests choose.
 */
#include "test.h"

#include "detectors/heap.h"
#include "detectors/rig.h"
#include "model/heap_script.h"

static void serve(struct rig *r, const char *path, const char *query, uint64_t size)
{
	struct request q = {.server = true, .pid = 100, .tid = 100, .t_start = r->s.now, .request_bytes = 200};

	snprintf(q.method, sizeof q.method, "GET");
	snprintf(q.path, sizeof q.path, "%s", path);
	snprintf(q.query, sizeof q.query, "%s", query);
	model_request_start(r->s.model, &q);
	heap_alloc(&r->s, 0x1000, size, size);
	heap_free(&r->s, 0x1000);
	q.t_end = r->s.now;
	model_request_end(r->s.model, &q);
}

static void start(struct rig *r)
{
	rig_init(r, &heap_detector);
	heap_state(&r->s, WIRE_ALLOC_WATCHED);
	r->s.stack = rig_stack(r, "answer", "shop");
}

static void test_much_memory(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	for (int i = 0; i < 30; i++)
		serve(&r, i % 2 ? "/orders/17" : "/orders/4", "", UINT64_C(100) << 20);
	for (int i = 0; i < 30; i++)
		serve(&r, "/health", "", 1 << 20);
	rig_finish(&r);
	const struct rig_finding *f = rig_found(&r, "resource.heap.request");
	assert_non_null(f);
	assert_string_equal(f->operation, "GET /orders/#");
	assert_int_equal(f->count, 30);
	assert_int_equal(r.found_n, 1);
	json_t *rows = json_object_get(r.section, "requests");
	assert_int_equal(json_array_size(rows), 2);
	rig_done(&r);
}

static void test_chosen_size(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	serve(&r, "/buffer", "n=50000000&x=1", 50000001); /* and its terminator */
	serve(&r, "/buffer", "n=20000000", 80000000);     /* of four bytes each */
	serve(&r, "/page", "id=7", UINT64_C(64) << 20);   /* large, but not the request's choice */
	serve(&r, "/small", "n=5000", 5000);
	rig_finish(&r);
	assert_int_equal(r.found_n, 1);
	const struct rig_finding *f = rig_found(&r, "resource.heap.request_size");
	assert_non_null(f);
	assert_int_equal(f->count, 2);
	assert_string_equal(f->operation, "GET /buffer");
	rig_done(&r);
}

/* A leak is told with the kind of request that makes it; one of all kinds is nobody's. */
static void test_leak_of_a_route(void **state)
{
	static const char *const paths[][4] = {{"/orders/1", "/orders/2", "/orders/3", "/health"}, {"/a", "/b", "/c", "/d"}};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct rig r;

		start(&r);
		for (uint64_t i = 0; i < 200; i++) {
			struct request q = {.server = true, .pid = 100, .tid = 100, .t_start = r.s.now};

			snprintf(q.method, sizeof q.method, "GET");
			snprintf(q.path, sizeof q.path, "%s", paths[k][i % 4]);
			model_request_start(r.s.model, &q);
			heap_alloc(&r.s, 0x1000 + 16 * i, 200000, HEAP_MEAN);
			q.t_end = r.s.now;
			model_request_end(r.s.model, &q);
			script_pass(&r.s, 50 * SCRIPT_MSEC);
		}
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_EXIT, .fd = -1});
		script_event(&r.s, (struct event){.id = WIRE_PROCESS_GONE, .fd = -1});
		rig_finish(&r);
		const struct rig_finding *f = rig_found(&r, "resource.heap.never_freed");
		assert_non_null(f);
		assert_string_equal(f->operation, k == 0 ? "GET /orders/#" : "");
		assert_int_equal(strstr(f->message, "made for GET /orders/#") != NULL, k == 0);
		rig_done(&r);
	}
}

TEST_MAIN(cmocka_unit_test(test_leak_of_a_route), cmocka_unit_test(test_much_memory), cmocka_unit_test(test_chosen_size))
