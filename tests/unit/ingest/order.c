/* order.c: events leave by time, those of one source never overtake each other, and time never steps back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "ingest/order.h"

#define MANY 20000U

static int push(struct order *o, uint64_t t1, uint32_t source, uint64_t number)
{
	const struct event e = {.t1 = t1, .a0 = number};
	struct pending *p = pending_new(o, &e, NULL, NULL);
	int r;

	assert_non_null(p);
	p->source = source;
	r = order_push(o, p);
	assert_true(r >= 0);
	return r;
}

static void many_leave_by_time(void **state)
{
	struct order *o = order_new();
	uint64_t last_t1 = 0, next[8] = {0};
	uint32_t seed = 7, n = 0;
	uint64_t at[8] = {0}, put[8] = {0};
	struct pending *p;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		seed = seed * 1664525U + 1013904223U;
		const uint32_t source = seed >> 29;

		/* Often the same time twice in one source. */
		at[source] += (seed >> 8) % 3;
		push(o, at[source], source, put[source]++);
	}
	assert_int_equal(order_count(o), MANY);
	while ((p = order_pop(o, UINT64_MAX)) != NULL) {
		assert_true(p->e.t1 >= last_t1);
		last_t1 = p->e.t1;
		assert_int_equal(p->e.a0, next[p->source]);
		next[p->source]++;
		n++;
		pending_free(p);
	}
	assert_int_equal(n, MANY);
	assert_int_equal(order_last_ns(o), last_t1);
	order_free(o);
}

static void the_window_holds_back(void **state)
{
	struct order *o = order_new();
	struct pending *p;

	(void)state;
	push(o, 100, 0, 1);
	push(o, 50, 1, 2);
	assert_null(order_pop(o, 50));
	p = order_pop(o, 51);
	assert_non_null(p);
	assert_int_equal(p->e.a0, 2);
	pending_free(p);
	assert_null(order_pop(o, 100));
	order_free(o);
}

static void a_late_event_gets_the_time_of_now(void **state)
{
	struct order *o = order_new();
	struct pending *p;

	(void)state;
	push(o, 100, 0, 1);
	pending_free(order_pop(o, UINT64_MAX));
	assert_int_equal(push(o, 99, 0, 2), 1);
	assert_int_equal(push(o, 100, 0, 3), 0);
	p = order_pop(o, UINT64_MAX);
	assert_int_equal(p->e.a0, 2);
	assert_int_equal(p->e.t1, 100);
	pending_free(p);
	order_free(o);
}

static void a_source_may_step_back(void **state)
{
	static const uint64_t times[] = {10, 5, 7, 12, 12, 6}, sorted[] = {1, 5, 2, 0, 3, 4, 6};
	struct order *o = order_new();
	size_t left = 6;

	(void)state;
	for (uint64_t i = 0; i < 6; i++)
		push(o, times[i], 3, i);
	for (size_t i = 0; i < 7; i++) {
		struct pending *p = order_pop(o, UINT64_MAX);

		assert_int_equal(p->e.a0, sorted[i]);
		assert_int_equal(order_count(o), --left);
		pending_free(p);
		if (i == 3) /* meanwhile, one more of it */
			left += (size_t)(push(o, 12, 3, 6) == 0);
	}
	assert_null(order_pop(o, UINT64_MAX));
	order_free(o);
}

static void it_is_full_by_bytes_too(void **state)
{
	static const uint8_t bytes[4096];
	const struct event e = {.data = bytes, .data_len = sizeof(bytes)};
	struct order *o = order_new();
	size_t n = 0;

	(void)state;
	while (!order_full(o) && n <= LIMIT_REORDER_EVENTS) {
		assert_int_equal(order_push(o, pending_new(o, &e, NULL, NULL)), 0);
		n++;
	}
	assert_true(order_full(o));
	assert_true(n > LIMIT_REORDER_BYTES / 2 / sizeof(bytes) && n <= LIMIT_REORDER_BYTES / sizeof(bytes) + 1);
	pending_free(order_pop(o, UINT64_MAX));
	assert_false(order_full(o));
	order_free(o);
}

static struct pending *call(uint16_t id, uint64_t t0, uint64_t t1, uint32_t tid, const char *bytes)
{
	const struct event e = {.id = id,
				.t0 = t0,
				.t1 = t1,
				.ret = 3,
				.pid = 7,
				.tid = tid,
				.fd = 5,
				.data = (const uint8_t *)bytes,
				.data_len = 3};
	struct pending *p = pending_new(NULL, &e, NULL, NULL);

	assert_non_null(p);
	p->source = tid;
	p->site = tid;
	return p;
}

/* What comes out: event, thread and end of each. */
static void expect_next(struct order *o, uint16_t id, uint32_t tid, uint64_t t1)
{
	struct pending *p = order_pop(o, UINT64_MAX);

	assert_non_null(p);
	assert_int_equal(p->e.id, id);
	assert_int_equal(p->e.tid, tid);
	assert_int_equal(p->site, tid);
	assert_int_equal(p->e.t1, t1);
	assert_memory_equal(p->e.data, id == WIRE_WRITE ? "ask" : "yes", 3);
	pending_free(p);
}

#define US 1000U

static void an_answer_comes_behind_what_was_sent(void **state)
{
	struct order *o = order_new();

	(void)state;
	/* Thread 1 comes back from its send after thread 2 has read the answer; so does thread 3, which sent more. */
	assert_int_equal(order_push(o, call(WIRE_WRITE, 100 * US, 900 * US, 1, "ask")), 0);
	assert_int_equal(order_push(o, call(WIRE_WRITE, 910 * US, 915 * US, 1, "ask")), 0);
	assert_int_equal(order_push(o, call(WIRE_READ, 50 * US, 60 * US, 2, "yes")), 0);
	assert_int_equal(order_push(o, call(WIRE_READ, 70 * US, 500 * US, 2, "yes")), 0);
	assert_int_equal(order_push(o, call(WIRE_WRITE, 200 * US, 950 * US, 3, "ask")), 0);
	assert_int_equal(order_count(o), 5);
	expect_next(o, WIRE_READ, 2, 60 * US);
	expect_next(o, WIRE_WRITE, 1, 500 * US);
	expect_next(o, WIRE_WRITE, 3, 500 * US);
	expect_next(o, WIRE_READ, 2, 500 * US);
	expect_next(o, WIRE_WRITE, 1, 915 * US);
	assert_null(order_pop(o, UINT64_MAX));
	assert_int_equal(order_count(o), 0);
	order_free(o);
}

static void other_sends_end_when_they_do(void **state)
{
	struct order *o = order_new();
	struct pending *elsewhere = call(WIRE_WRITE, 100 * US, 900 * US, 3, "ask"),
		       *failed = call(WIRE_WRITE, 100 * US, 901 * US, 4, "ask");

	(void)state;
	elsewhere->e.fd = 6;
	failed->e.ret = -1;
	/* Of the reader itself, of another descriptor, one that failed, and one that began later. */
	order_push(o, call(WIRE_WRITE, 100 * US, 500 * US, 2, "ask"));
	order_push(o, elsewhere);
	order_push(o, failed);
	order_push(o, call(WIRE_WRITE, 600 * US, 902 * US, 5, "ask"));
	order_push(o, call(WIRE_READ, 510 * US, 550 * US, 2, "yes"));
	expect_next(o, WIRE_WRITE, 2, 500 * US);
	expect_next(o, WIRE_READ, 2, 550 * US);
	expect_next(o, WIRE_WRITE, 3, 900 * US);
	expect_next(o, WIRE_WRITE, 4, 901 * US);
	expect_next(o, WIRE_WRITE, 5, 902 * US);
	/* More than are noted: the first ones are found, and none is told twice. */
	for (uint32_t i = 0; i < 200; i++)
		order_push(o, call(WIRE_WRITE, 1000 * US, (2000 + i) * US, 10 + i, "ask"));
	order_push(o, call(WIRE_READ, 1000 * US, 1500 * US, 2, "yes"));
	assert_int_equal(order_count(o), 201);
	bool seen[210] = {false}, answered = false;
	size_t early = 0;

	for (uint32_t i = 0; i < 201; i++) {
		struct pending *p = order_pop(o, UINT64_MAX);

		assert_non_null(p);
		answered |= p->e.tid == 2;
		early += !answered;
		assert_false(seen[p->e.tid]);
		seen[p->e.tid] = true;
		pending_free(p);
	}
	assert_true(early >= 32 && early < 200);
	assert_null(order_pop(o, UINT64_MAX));
	order_free(o);
}

static void sources_break_ties(void **state)
{
	struct order *o = order_new();

	(void)state;
	push(o, 5, ORDER_SOURCE_AGENT, 3);
	push(o, 5, 2, 2);
	push(o, 5, 1, 1);
	for (uint64_t want = 1; want <= 3; want++) {
		struct pending *p = order_pop(o, 6);

		assert_int_equal(p->e.a0, want);
		pending_free(p);
	}
	order_free(o);
}

static void bytes_are_copied(void **state)
{
	uint8_t data[3] = "abc", stack[4] = "wxyz";
	const struct wire_stack s = {.bytes_len = sizeof(stack)};
	const struct event e = {.data = data, .data_len = sizeof(data)};
	struct order *o = order_new();
	struct pending *p = pending_new(o, &e, &s, stack);

	(void)state;
	memset(data, 0, sizeof(data));
	memset(stack, 0, sizeof(stack));
	assert_memory_equal(p->e.data, "abc", 3);
	assert_memory_equal(p->stack_bytes, "wxyz", 4);
	/* The block is given out again, and holds nothing of what it held. */
	const struct pending *const block = p;
	const uint8_t *const held = p->e.data;

	pending_free(p);
	assert_true(memcmp(held, "abc", 3) != 0);
	p = pending_new(o, &e, &s, stack);
	assert_ptr_equal(p, block);
	pending_free(p);
	p = pending_new(o, &e, &s, NULL);
	assert_null(p->stack);
	assert_null(p->stack_bytes);
	pending_free(p);
	pending_free(NULL);
	order_free(o);
}

static void room_is_left_for_bytes(void **state)
{
	struct order *o = order_new();
	struct event e = {.t1 = 5, .a0 = 9, .data_len = 3};
	uint8_t *room = NULL;
	struct pending *p = pending_room(o, &e, &room);

	(void)state;
	assert_non_null(p);
	assert_non_null(room);
	assert_ptr_equal(p->e.data, room);
	assert_int_equal(p->e.a0, 9);
	assert_null(p->stack);
	memcpy(room, "yes", 3);
	assert_int_equal(order_push(o, p), 0);
	p = order_pop(o, UINT64_MAX);
	assert_memory_equal(p->e.data, "yes", 3);
	pending_free(p);
	e.data_len = 0;
	p = pending_room(o, &e, &room);
	assert_non_null(p);
	assert_null(room);
	assert_null(p->e.data);
	pending_free(p);
	order_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_leave_by_time),
		cmocka_unit_test(the_window_holds_back),
		cmocka_unit_test(a_late_event_gets_the_time_of_now),
		cmocka_unit_test(a_source_may_step_back),
		cmocka_unit_test(it_is_full_by_bytes_too),
		cmocka_unit_test(an_answer_comes_behind_what_was_sent),
		cmocka_unit_test(other_sends_end_when_they_do),
		cmocka_unit_test(sources_break_ties),
		cmocka_unit_test(bytes_are_copied),
		cmocka_unit_test(room_is_left_for_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
