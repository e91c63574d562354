/* returns.c: functions of this machine's libc and of this program, whose code is looked at again; files that are none. */
#include "ingest/returns.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#if defined(__x86_64__)
#define RET 0xc3

__attribute__((noinline)) int returns_here(int a, int (*fn)(int));

/* With a frame, and two ways out of it. */
__attribute__((noinline)) int returns_here(int a, int (*fn)(int))
{
	volatile char room[64];

	room[a & 63] = (char)a;
	if (fn(a) > 3)
		return room[1] + fn(a + 1);
	return room[2] - fn(a - 1) * 2;
}

__attribute__((noinline)) static int twice(int a)
{
	return a * 2;
}

static void each_is_a_return(void **state)
{
	struct returns_function f = {0};
	struct returns *r = NULL;
	const uint8_t *code;

	(void)state;
	assert_true(returns_here(7, twice) != 0);
	assert_int_equal(returns_open("/proc/self/exe", &r), 0);
	assert_int_equal(returns_of(r, "returns_here", &f), 0);
	code = returns_code(r, &f);
	assert_non_null(code);
	assert_memory_equal(code, (const void *)(uintptr_t)returns_here, f.size);
	assert_true(f.n >= 1);
	print_message("%zu returns in %llu bytes\n", f.n, (unsigned long long)f.size);
	for (size_t i = 0; i < f.n; i++) {
		assert_true(f.at[i] > f.entry && f.at[i] < f.entry + f.size);
		assert_int_equal(code[f.at[i] - f.entry], RET);
	}
	returns_close(r);
}

/* No frame at any time: the table does not tell its returns from the rest. */
__attribute__((naked, noinline, used)) static void returns_bare(void)
{
	__asm__("xor %eax,%eax\n\tret");
}

static void others_are_refused(void **state)
{
	struct returns_function f = {.n = 77};
	struct returns *r = NULL;

	(void)state;
	assert_int_equal(returns_open("/proc/self/exe", &r), 0);
	assert_int_equal(returns_of(r, "no_such_function", &f), -ENOENT);
	assert_true(returns_of(r, "returns_bare", &f) < 0);
	assert_int_equal(f.n, 77);
	returns_close(r);
}
#endif

static void what_is_no_program(void **state)
{
	struct returns *r = NULL;

	(void)state;
	assert_int_equal(returns_open("/no/such/file", &r), -ENOENT);
	assert_int_equal(returns_open("/proc/self/status", &r), -ENOEXEC);
	assert_null(r);
	returns_close(NULL);
}

#if defined(__x86_64__)
TEST_MAIN(cmocka_unit_test(each_is_a_return), cmocka_unit_test(others_are_refused), cmocka_unit_test(what_is_no_program))
#else
TEST_MAIN(cmocka_unit_test(what_is_no_program))
#endif
