/* What lies in a child: libc, and no shim. */
#include "attach/resident.h"

#include <errno.h>
#include <sched.h>

#include "attach/target.h"

static void test_plain(void **state)
{
	struct target child = target_start();
	struct resident r;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child.pid);

	const int mem = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(mem >= 0);
	assert_int_equal(resident_find(child.pid, mem, NULL, 0, &r), 0);
	assert_true(r.libc != 0 && r.libc_end > r.libc);
	assert_false(r.musl);
	assert_int_equal(r.copies, 0);
	assert_int_equal(r.shim, 0);
	assert_int_equal(r.session, 0);
	assert_int_equal(resident_agent(child.pid), 0);
	assert_int_equal(resident_agent(3999999), 0);
	close(mem);
	target_end(&child);
}

TEST_MAIN(cmocka_unit_test(test_plain))
