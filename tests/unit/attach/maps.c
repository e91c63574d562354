/* Lines of a maps file, and a walk through our own. */
#include "attach/maps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static void test_line(void **state)
{
	struct mapping m;

	(void)state;
	assert_true(maps_line("7f00-8f00 r-xp 00001000 fe:01 1234   /usr/lib/a b.so (deleted)\n", &m));
	assert_int_equal(m.start, 0x7f00);
	assert_int_equal(m.end, 0x8f00);
	assert_int_equal(m.offset, 0x1000);
	assert_int_equal(m.inode, 1234);
	assert_true(m.read && m.execute && !m.write);
	assert_string_equal(m.path, "/usr/lib/a b.so (deleted)");
	assert_true(maps_line("10-20 rw-p 00000000 00:00 0 \n", &m));
	assert_string_equal(m.path, "");
	assert_false(maps_line("nothing of the kind\n", &m));
	assert_false(maps_line("", &m));
}

static void test_base(void **state)
{
	(void)state;
	assert_string_equal(maps_base("/usr/lib/libc.so.6"), "libc.so.6");
	assert_string_equal(maps_base("[heap]"), "[heap]");
}

static bool has_us(void *ctx, const struct mapping *m)
{
	return m->execute && *(uint64_t *)ctx >= m->start && *(uint64_t *)ctx < m->end;
}

static void test_walk(void **state)
{
	uint64_t here = (uint64_t)(uintptr_t)&test_walk, nowhere = 1;

	(void)state;
	assert_int_equal(maps_walk(getpid(), has_us, &here), 1);
	assert_int_equal(maps_walk(getpid(), has_us, &nowhere), 0);
	assert_int_equal(maps_walk(3999999, has_us, &here), -ENOENT);
}

TEST_MAIN(cmocka_unit_test(test_line), cmocka_unit_test(test_base), cmocka_unit_test(test_walk))
