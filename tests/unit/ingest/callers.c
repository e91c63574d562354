/* callers.c: return addresses among the words of a stack, of a call made here; what only looks like one is left out. */
#include <stdlib.h>
#include <string.h>

#include "ingest/callers.h"
#include "ingest/snapshot.h"
#include "test.h"

static struct modules *modules;
static struct wire_stack stack;
static uint8_t bytes[WIRE_STACK_BYTES];

static void learn(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)modules_event(modules, e);
}

__attribute__((noinline, aligned(1024))) static void innermost(void)
{
	/* Words that point into code, but behind no call; and one behind a call of something else. */
	volatile uint64_t noise[8];

	for (int i = 0; i < 8; i++)
		noise[i] = (uint64_t)(uintptr_t)innermost + (uint64_t)i;
	SNAPSHOT(&stack, bytes);
	(void)noise;
}

__attribute__((noinline, aligned(1024))) static void middle(void)
{
	innermost();
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline, aligned(1024))) static void outermost(void (*volatile through)(void))
{
	through();
	__asm__ volatile("" ::: "memory");
}

static bool within(uint64_t pc, void (*function)(void))
{
	return pc >= (uint64_t)(uintptr_t)function && pc < (uint64_t)(uintptr_t)function + 1024;
}

static void calls_are_followed_direct_and_through_pointers(void **state)
{
	struct snapshot_modules to = {.fn = learn, .pid = 1};
	uint64_t pcs[16] = {0};
	size_t n, at_middle = 0, at_outermost = 0;

	(void)state;
	modules = modules_new();
	assert_non_null(modules);
	dl_iterate_phdr(snapshot_module, &to);
	outermost(middle);
	n = callers_find(modules_space(modules, 1), &stack, bytes, pcs, 16);
	assert_true(n >= 3);
	assert_int_equal(pcs[0], stack.regs[16]);
	for (size_t i = 1; i < n; i++) {
		assert_false(within(pcs[i], innermost));
		if (at_middle == 0 && within(pcs[i], middle))
			at_middle = i;
		if (at_outermost == 0 && within(pcs[i], (void (*)(void))(uintptr_t)outermost))
			at_outermost = i;
	}
	assert_int_equal(at_middle, 1);
	assert_int_equal(at_outermost, 2);
	/* No room, and no stack. */
	assert_int_equal(callers_find(modules_space(modules, 1), &stack, bytes, pcs, 0), 0);
	stack.bytes_len = 0;
	assert_int_equal(callers_find(modules_space(modules, 1), &stack, bytes, pcs, 16), 1);
	modules_free(modules);
}

TEST_MAIN(cmocka_unit_test(calls_are_followed_direct_and_through_pointers))
