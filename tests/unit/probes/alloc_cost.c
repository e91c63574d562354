/* alloc_cost.c in the running kernel: a pair costs something, each time about the same; probes at a function change nothing of what it does. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "probes/alloc_cost.h"
#include "test.h"

static void a_pair_costs_something(void **state)
{
	const struct probes_options o = {.own_children = false};
	struct probes *p = NULL;
	double first = 0, again = 0;
	char why[256];
	int e;

	(void)state;
	if (probes_open(&o, &p, why, sizeof(why)) < 0) {
		print_message("no probes here: %s\n", why);
		assert_true(geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0 || strstr(why, "CAP_BPF") != NULL);
		return;
	}
	e = alloc_cost_measure(p, &first);
	if (e == 0) {
		assert_int_equal(alloc_cost_measure(p, &again), 0);
		print_message("a pair of malloc and free: %.0f ns more\n", first);
		assert_true(first > 0);
		/* The functions have two sets of probes then, as when another session measures too. */
		assert_true(again > first / 2);
	} else {
		assert_int_equal(e, -EPERM);
		assert_true(first <= 0);
	}
	/* Nothing of this was said of anybody. */
	assert_int_equal(probes_count(p, PROBE_COUNT_NO_SLOT), 0);
	probes_free(p);
}

TEST_MAIN(cmocka_unit_test(a_pair_costs_something))
