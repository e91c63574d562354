/* unwind.c: this program's own stack, unwound from a copy; and copies that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/snapshot.h"
#include "ingest/unwind.h"

#define PID 4711U

static struct wire_stack stack;
static uint8_t bytes[WIRE_STACK_BYTES];

static void add(void *ctx, const struct event *e)
{
	modules_event(ctx, e);
}

/* Not inlined, and with something to do after the call: each is a frame. */
__attribute__((noinline)) static int inner(int x)
{
	SNAPSHOT(&stack, bytes);
	return x + 1;
}

__attribute__((noinline)) static int outer(int x)
{
	const int y = inner(x + 1);

	__asm__ volatile("" ::: "memory");
	return y * 2;
}

static bool within(uint64_t pc, int (*fn)(int))
{
	return pc >= (uint64_t)(uintptr_t)fn && pc < (uint64_t)(uintptr_t)fn + 4096;
}

static void own_frames_come_out(void **state)
{
	struct modules *m = modules_new();
	uint64_t pcs[64];
	size_t n;

	(void)state;
	snapshot_modules(PID, add, m);
	assert_int_equal(outer(1), 6);
	n = unwind_stack(modules_space(m, PID), &stack, bytes, pcs, 64);
	assert_true(n >= 4);
	assert_true(within(pcs[0], inner));
	assert_true(within(pcs[1], outer));
	/* Up to the C library's start, unless the stack is deeper than the copy. */
	for (size_t i = 0; i < n; i++)
		assert_non_null(space_find(modules_space(m, PID), pcs[i]));
	assert_int_equal(unwind_stack(modules_space(m, PID), &stack, bytes, pcs, 2), 2);
	modules_free(m);
}

static void a_short_copy_gives_what_it_has(void **state)
{
	struct modules *m = modules_new();
	struct wire_stack shorter;
	uint64_t pcs[64], full[64];
	size_t n_full, n;

	(void)state;
	snapshot_modules(PID, add, m);
	outer(1);
	n_full = unwind_stack(modules_space(m, PID), &stack, bytes, full, 64);
	for (uint32_t len = 0; len < WIRE_STACK_BYTES; len += 40) {
		shorter = stack;
		shorter.bytes_len = len;
		n = unwind_stack(modules_space(m, PID), &shorter, bytes, pcs, 64);
		assert_in_range(n, 1, n_full + 1);
		assert_int_equal(pcs[0], full[0]);
	}
	modules_free(m);
}

static void lies_do_no_harm(void **state)
{
	struct modules *m = modules_new();
	uint32_t seed = 3;
	uint64_t pcs[64];

	(void)state;
	snapshot_modules(PID, add, m);
	for (int round = 0; round < 300; round++) {
		struct wire_stack wrong;
		uint8_t noise[WIRE_STACK_BYTES];

		outer(1);
		wrong = stack;
		memcpy(noise, bytes, sizeof(noise));
		for (int i = 0; i < 200; i++) {
			seed = seed * 1664525U + 1013904223U;
			noise[(seed >> 8) % sizeof(noise)] = (uint8_t)(seed >> 24);
		}
		wrong.regs[round % (int)WIRE_STACK_REGS] ^= (uint64_t)seed << (round % 40);
		assert_true(unwind_stack(modules_space(m, PID), &wrong, noise, pcs, 64) <= 64);
	}
	memset(&stack, 0, sizeof(stack));
	assert_int_equal(unwind_stack(modules_space(m, PID), &stack, bytes, pcs, 64), 0);
	modules_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_frames_come_out),
		cmocka_unit_test(a_short_copy_gives_what_it_has),
		cmocka_unit_test(lies_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
