/* go_goroutine.c: a goroutine in the test's own memory. */
#include "commands/go_goroutine.h"

#include <unistd.h>

#include "go_runtime.h"

static uint64_t g[14], stack[200];

static bool look(uint64_t callers[GO_CALLERS])
{
	memset(callers, 0xff, GO_CALLERS * sizeof(*callers));
	return go_goroutine_callers((uint32_t)getpid(), go_at(g), callers);
}

/* A wait that was called from 0x111, and that from 0x222; `frame`: the word that has the frame pointer. */
static void begin(size_t frame)
{
	go_g(g, stack, 200, frame);
	go_frame(stack, 8, 20, 0x111);
	go_frame(stack, 20, 0, 0x222);
}

static void of_each_version(void **state)
{
	uint64_t callers[GO_CALLERS];

	(void)state;
	for (size_t frame = 12; frame <= 13; frame++) {
		begin(frame);
		assert_true(look(callers));
		assert_true(callers[0] == 0x111 && callers[1] == 0x222 && callers[2] == 0);
	}
}

static void none(void **state)
{
	uint64_t callers[GO_CALLERS];

	(void)state;
	begin(13);
	g[9]++; /* it does not name itself */
	assert_false(look(callers));
	begin(13);
	g[1] = g[0];
	assert_false(look(callers));
	assert_false(go_goroutine_callers((uint32_t)getpid(), 0, callers));
	assert_false(go_goroutine_callers((uint32_t)getpid(), 2, callers));
}

/* It goes on meanwhile: its stack ends anywhere. */
static void odd_stacks(void **state)
{
	uint64_t callers[GO_CALLERS];

	(void)state;
	begin(13);
	go_frame(stack, 8, 8, 0x111); /* a circle */
	assert_true(look(callers));
	assert_true(callers[0] == 0x111 && callers[1] == 0);
	begin(13);
	stack[8] = g[1] + 64; /* not on it */
	assert_true(look(callers));
	assert_true(callers[0] == 0x111 && callers[1] == 0);
	begin(13);
	g[13] = g[1] + 64;
	assert_true(look(callers));
	assert_true(callers[0] == 0);
	begin(13);
	for (size_t i = 8; i < 190; i += 2) /* deeper than is of interest */
		go_frame(stack, i, i + 2, i);
	assert_true(look(callers));
	assert_true(callers[0] == 8 && callers[GO_CALLERS - 1] == 8 + 2 * (GO_CALLERS - 1));
}

TEST_MAIN(cmocka_unit_test(of_each_version), cmocka_unit_test(none), cmocka_unit_test(odd_stacks))
