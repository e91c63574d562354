/* go_sites.c: beginnings of functions as Go makes them; and this machine's Go programs, where there are any. */
#include "commands/go_sites.h"

#include "go_table.h"

static void beginnings(void **state)
{
	static const struct {
		uint8_t code[32];
		int safe;
	} all[] = {
		/* cmp 0x10(%r14),%rsp; jbe; push %rbp */
		{{0x49, 0x3b, 0x66, 0x10, 0x76, 0x45, 0x55}, 6},
		{{0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0xc7, 0, 0, 0, 0x55}, 10},
		/* lea -0x30(%rsp),%r12 in front */
		{{0x4c, 0x8d, 0x64, 0x24, 0xd0, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0xb6, 4, 0, 0, 0x55}, 15},
		{{0x4c, 0x8d, 0xa4, 0x24, 0x58, 0xfe, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x68, 0xe, 0, 0, 0x55}, 18},
		/* no check at all */
		{{0x55, 0x48, 0x89, 0xe5}, 0},
		/* no frame pointer is saved; a nop5; a jump; half a check */
		{{0x49, 0x3b, 0x66, 0x10, 0x76, 0x45, 0x48}, -1},
		{{0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55}, -1},
		{{0xe9, 0, 0, 0, 0}, -1},
		{{0x49, 0x3b, 0x66, 0x10, 0x55}, -1},
		{{0x4c, 0x8d, 0x64, 0x24, 0xd0, 0x55}, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(go_site_safe(all[i].code, sizeof(all[i].code)), all[i].safe);
	/* What is cut off is not believed. */
	for (size_t len = 0; len <= 15; len++)
		assert_int_equal(go_site_safe(all[2].code, len), -1);
	assert_int_equal(go_site_safe(all[2].code, 16), 15);
}

static void seen_whole(void **state)
{
	static const char *const names[] = {"time.newTimer", "time.Sleep", "main.main", NULL}, *const without[] = {"main.main",
														   NULL};
	const struct go_site sites[] = {{GO_NEW_TIMER, 0}, {GO_SLEEP, 0}, {GO_TLS_READ, 0}};
	struct gopclntab *t = go_table(names), *u;

	(void)state;
	assert_true(go_sites_whole(t, sites, 3));
	assert_false(go_sites_whole(t, sites, 1)); /* it sleeps elsewhere */
	assert_false(go_sites_whole(t, sites + 1, 2));
	u = go_table(without);
	assert_false(go_sites_whole(u, sites, 3));
	gopclntab_free(u);
	gopclntab_free(t);
}

TEST_MAIN(cmocka_unit_test(beginnings), cmocka_unit_test(seen_whole))
