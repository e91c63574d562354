/*
 * What lies between attempts, through the whole detector: a worker that makes job after job of three attempts, one loop that never ends, and
 * one of which nothing is seen but its gaps. Delays are drawn at random, all attempts fail.
 */
#include "detectors/client.h"

#define ATTEMPTS 60U

enum way { WORKER, LOOP, UNSEEN };

static uint32_t stack_of(struct rig *r, const struct frame *frames, size_t n)
{
	return stacks_add(r->s.stacks, frames, n);
}

/* In a script: the interpreter's frames beneath change as it learns. */
static uint32_t script_stack(struct rig *r, bool inside, uint32_t line, uint64_t beneath)
{
	const struct frame frames[] = {
		{.function = "sleep", .module = "retrying", .file = "nap.py", .line = 31},
		{.function = "call", .module = "retrying", .file = "retrying.py", .line = line},
		{.function = "main", .module = "shop.py", .file = "shop.py", .line = inside ? 20 : line},
		{.function = "eval", .module = "libpython.so", .offset = beneath},
	};

	return inside ? stack_of(r, frames, 4) : stack_of(r, frames + 2, 2);
}

/* In machine code: one line's call may be there several times. */
static uint32_t native_stack(struct rig *r, bool inside, uint32_t line, uint64_t beneath)
{
	const struct frame frames[] = {
		{.function = "call", .module = "shop", .file = "retry.c", .line = line, .offset = 0x2000 + line},
		{.function = "main", .module = "shop", .file = "shop.c", .line = inside ? 20 : line, .offset = 0x1000 + beneath},
		{.function = "_start", .module = "shop", .offset = 0x900},
	};

	return inside ? stack_of(r, frames, 3) : stack_of(r, frames + 1, 2);
}

static void run(struct rig *r, enum way way, uint32_t (*stack)(struct rig *, bool, uint32_t, uint64_t), uint32_t attempts)
{
	uint64_t seed = 521288629;

	start(r);
	for (uint32_t i = 0; i < attempts; i++) {
		bool between = way == WORKER && i % 3 == 0;
		r->s.stack = way == UNSEEN ? 0 : stack(r, true, 45, i % 5);
		if (i) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			uint32_t sleeps = way == UNSEEN ? 0 : between ? stack(r, false, 25, i % 5) : stack(r, true, 50, i % 5);
			uint32_t send = r->s.stack;
			r->s.stack = sleeps;
			if (way == UNSEEN)
				script_pass(&r->s, (60 + (seed >> 33) % 400) * SCRIPT_MSEC);
			else
				script_sleep(&r->s, (60 + (seed >> 33) % 400) * SCRIPT_MSEC);
			r->s.stack = send;
		}
		exchange(r, RIG_GET, RIG_503);
	}
	rig_finish(r);
	rig_print(r);
}

static bool has_reason(const struct rig *r)
{
	bool has = false;

	for (size_t i = 0; i < json_array_size(r->not_exercised); i++)
		has = has || strstr(json_string_value(json_array_get(r->not_exercised, i)), "nothing tells them apart");
	return has;
}

static void test_ways(void **state)
{
	static const struct {
		enum way way;
		uint32_t attempts;
		const char *class;
		int bound;
		bool found, reason;
	} rows[] = {
		{WORKER, ATTEMPTS, "bounded", 3, false, false}, {WORKER, 200, "bounded", 3, false, false},
		{WORKER, 13, "undecided", 0, false, false},     {LOOP, 21, "unbounded", 0, true, false},
		{LOOP, ATTEMPTS, "unbounded", 0, true, false},  {UNSEEN, ATTEMPTS, "undecided", 0, false, true},
		{UNSEEN, 95, "unbounded", 0, true, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
		struct rig r;
		run(&r, rows[i / 2].way, i % 2 ? native_stack : script_stack, rows[i / 2].attempts);
		int at = row(&r, "GET /orders/17");
		assert_true(at >= 0);
		assert_string_equal(rig_text(&r, (size_t)at, "class", NULL), rows[i / 2].class);
		if (rows[i / 2].bound)
			assert_int_equal((int)rig_number(&r, (size_t)at, "bound", NULL), rows[i / 2].bound);
		assert_int_equal(rig_found(&r, "retry.unbounded") != NULL, rows[i / 2].found);
		assert_int_equal(has_reason(&r), rows[i / 2].reason);
		rig_done(&r);
	}
}

/* A line of log in some gaps: a hint that there is more than one call, whatever number of attempts. */
static void test_log_between(void **state)
{
	(void)state;
	for (uint32_t every = 1; every <= 4; every += 3) {
		struct rig r;
		uint64_t seed = 521288629;
		start(&r);
		script_open(&r.s, 7, "/var/log/shop.log", O_WRONLY | O_APPEND);
		for (uint32_t i = 0; i < 100; i++) {
			exchange(&r, RIG_GET, RIG_503);
			if (i % every == every - 1)
				script_log(&r.s, 7, 1, 40);
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			script_pass(&r.s, (60 + (seed >> 33) % 400) * SCRIPT_MSEC);
		}
		rig_finish(&r);
		assert_int_equal(rig_found(&r, "retry.unbounded") != NULL, every == 1);
		rig_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_log_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
