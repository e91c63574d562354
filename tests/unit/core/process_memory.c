/* Another process's memory: all of it, or none. */
#include "core/process_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static void test_all_or_nothing(void **state)
{
	const long page = sysconf(_SC_PAGESIZE);
	char *const at = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char got[8] = "";

	(void)state;
	assert_ptr_not_equal(at, MAP_FAILED);
	memcpy(at + page - 8, "its end", 8);
	assert_true(process_memory_read((uint32_t)getpid(), (uintptr_t)at + (uint64_t)page - 8, got, sizeof(got)));
	assert_string_equal(got, "its end");
	assert_int_equal(munmap(at + page, (size_t)page), 0);
	assert_false(process_memory_read((uint32_t)getpid(), (uintptr_t)at + (uint64_t)page - 4, got, sizeof(got)));
	assert_false(process_memory_read((uint32_t)getpid(), 0, got, sizeof(got)));
	munmap(at, (size_t)page);
}

TEST_MAIN(cmocka_unit_test(test_all_or_nothing))
