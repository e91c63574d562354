/* alloc_sites.c: an allocator's functions are found in a file that has one, each place once; a file that has none says so. */
#include "commands/alloc_sites.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static int find_libc(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	if (strstr(info->dlpi_name, "/libc.so") == NULL)
		return 0;
	snprintf(ret, 256, "%s", info->dlpi_name);
	return 1;
}

static void a_c_library_has_all(void **state)
{
	struct alloc_site sites[ALLOC_SITES_MAX];
	bool operators = true;
	char path[256] = "", why[256];
	size_t of[ALLOC_FREE + 1] = {0};
	int n;

	(void)state;
	assert_true(dl_iterate_phdr(find_libc, path) == 1);
	n = alloc_sites_find(path, sites, &operators, why, sizeof(why));
	assert_true(n >= 6);
	assert_false(operators); /* it is C's */
	for (int i = 0; i < n; i++) {
		assert_in_range(sites[i].what, ALLOC_MALLOC, ALLOC_FREE);
		of[sites[i].what]++;
		for (int k = 0; k < i; k++)
			assert_true(sites[k].offset != sites[i].offset);
	}
	for (size_t what = ALLOC_MALLOC; what <= ALLOC_FREE; what++)
		assert_true(of[what] > 0);
}

static void others_have_none(void **state)
{
	struct alloc_site sites[ALLOC_SITES_MAX];
	bool operators;
	char why[256] = "";

	(void)state;
	assert_int_equal(alloc_sites_find("/nowhere/at/all", sites, &operators, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "cannot be read"));
	assert_int_equal(alloc_sites_find("/etc/passwd", sites, &operators, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "no malloc"));
}

TEST_MAIN(cmocka_unit_test(a_c_library_has_all), cmocka_unit_test(others_have_none))
