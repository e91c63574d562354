/* Descriptor tables: sparse, bounded, in order. */
#include "test.h"

#include "model/private.h"

static void sparse_and_in_order(void **state)
{
	struct proc p = {0};
	struct connx c = {0};
	static const int fds[] = {0, 3, 63, 64, 1000, 100000, LIMIT_FDS_PER_PROCESS - 1};
	const size_t n = sizeof(fds) / sizeof(fds[0]);

	(void)state;
	for (size_t i = n; i-- > 0;) {
		struct holder *h = fdtable_slot(&p.fds, fds[i]);
		assert_non_null(h);
		assert_null(h->conn);
		fdtable_hold(h, &p, fds[i], &c);
	}
	size_t i = 0;
	for (struct holder *h = fdtable_next(&p.fds, 0); h; h = fdtable_next(&p.fds, h->fd + 1))
		assert_int_equal(h->fd, fds[i++]);
	assert_int_equal(i, n);
	assert_non_null(fdtable_get(&p.fds, 100000));
	assert_null(fdtable_get(&p.fds, 99999));
	assert_null(fdtable_get(&p.fds, -1));
	fdtable_release(&p.fds, fdtable_get(&p.fds, 63));
	assert_int_equal(fdtable_next(&p.fds, 4)->fd, 64);
	fdtable_done(&p.fds);
}

static void bounded(void **state)
{
	struct fdtable t = {0};

	(void)state;
	assert_null(fdtable_slot(&t, (int)LIMIT_FDS_PER_PROCESS));
	assert_null(fdtable_slot(&t, -1));
	assert_null(fdtable_next(&t, 0));
	assert_null(fdtable_next(&t, INT32_MAX));
	fdtable_done(&t);
}

static void holders_are_linked(void **state)
{
	struct proc p = {0};
	struct connx c = {0};
	unsigned int n = 0;

	(void)state;
	for (int fd = 0; fd < 5; fd++)
		fdtable_hold(fdtable_slot(&p.fds, fd), &p, fd, &c);
	fdtable_release(&p.fds, fdtable_get(&p.fds, 2));
	fdtable_release(&p.fds, fdtable_get(&p.fds, 4));
	fdtable_release(&p.fds, fdtable_get(&p.fds, 0));
	for (struct holder *h = c.holders; h; h = h->next)
		n += (unsigned int)h->fd;
	assert_int_equal(n, 1 + 3);
	while (c.holders)
		fdtable_release(&p.fds, c.holders);
	fdtable_done(&p.fds);
}

TEST_MAIN(cmocka_unit_test(sparse_and_in_order), cmocka_unit_test(bounded), cmocka_unit_test(holders_are_linked))
