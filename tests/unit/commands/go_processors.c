/* go_processors.c: processors of a Go runtime that lies in the test's own variables. */
#include "commands/go_processors.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "go_runtime.h"

#define LOCK (GO_LOCK_AT * sizeof(uint64_t))

/* Not const, and not known to the compiler: they are to lie where a program's variables do. */
static volatile uint64_t all[3], copy[3];
static uint64_t array[4], places[4][GO_P_WORDS];

static uint32_t me(void)
{
	return (uint32_t)getpid();
}

static int setup(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		go_p(places[i], i);
		array[i] = go_at(places[i]);
	}
	return 0;
}

static void set(volatile uint64_t *slice, uint64_t n)
{
	slice[0] = go_at(array);
	slice[1] = n;
	slice[2] = 4;
}

static void in_variables(void **state)
{
	struct go_processors p;

	(void)state;
	assert_int_equal(go_processors_find(me(), &p), -ENOENT);
	set(all, 4);
	assert_int_equal(go_processors_find(me(), &p), 0);
	assert_true(p.array == go_at(array) && p.n == 4 && p.lock == LOCK);
	set(copy, 4); /* of the same */
	assert_int_equal(go_processors_find(me(), &p), 0);
	set(copy, 3); /* from before there were more */
	assert_int_equal(go_processors_find(me(), &p), -ENOENT);
	all[0] = copy[0] = 0;
	assert_true(go_processors_find(1U << 30, &p) < 0);
}

static void others_are_none(void **state)
{
	struct go_processors p;
	uint64_t s[3];

	(void)state;
	go_slice(s, array, 4, 4);
	assert_int_equal(go_processors_check(me(), s, &p), 0);
	for (size_t i = 0; i < 3; i++) { /* no address; nothing in it; more in it than it holds */
		const uint64_t bad[] = {8, 0, 2};

		go_slice(s, array, 4, 4);
		s[i] = bad[i];
		assert_int_equal(go_processors_check(me(), s, &p), -ENOENT);
	}
	go_slice(s, array, 4, 4);
	array[3] = array[2]; /* its number is another */
	assert_int_equal(go_processors_check(me(), s, &p), -ENOENT);
	go_slice(s, array, 3, 4);
	places[2][GO_BARRIER_AT + 1] += 8;
	assert_int_equal(go_processors_check(me(), s, &p), -ENOENT);
	go_slice(s, array, 2, 4);
	places[0][GO_WAITERS_AT] += 8;
	assert_int_equal(go_processors_check(me(), s, &p), -ENOENT);
}

static void up_to_a_hole(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), got[64];

	(void)state;
	assert_true(at != MAP_FAILED);
	assert_int_equal(munmap(at + page, page), 0);
	assert_int_equal(go_memory_read(me(), go_at(at) + page - 40, got, sizeof(got)), 40);
	assert_int_equal(go_memory_read(me(), go_at(at) + page, got, sizeof(got)), 0);
	munmap(at, page);
}

TEST_MAIN(cmocka_unit_test_setup(in_variables, setup), cmocka_unit_test_setup(others_are_none, setup),
	  cmocka_unit_test(up_to_a_hole))
