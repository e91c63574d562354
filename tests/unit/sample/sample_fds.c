/* sample_fds.c: kinds of descriptors, and groups of them that lead to the same. */
#include "sample/root.h"

static const struct told *group(const struct root *r, const char *pattern)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->told[i].e.id == WIRE_SAMPLE_FILES && strcmp((const char *)r->told[i].data, pattern) == 0)
			return &r->told[i];
	return NULL;
}

static void test_kinds(void **state)
{
	struct root *r = root_make();
	struct sample_process p = {0};

	(void)state;
	root_link(r, 0, "/dev/null");
	root_link(r, 1, "pipe:[11]");
	root_link(r, 2, "pipe:[12]");
	root_link(r, 3, "socket:[4711]");
	root_link(r, 4, "anon_inode:[eventpoll]");
	root_link(r, 5, "anon_inode:[timerfd]");
	root_link(r, 6, "/srv/data (deleted)");
	root_link(r, 7, "/dev/shm/part");
	root_link(r, 8, "/memfd:x (deleted)");
	sample_fds(r->s, PID, &p);
	assert_int_equal(p.fds, 9);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_DEVICE], 1);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_PIPE], 2);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_SOCKET], 1);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_EPOLL], 1);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_EVENT], 1);
	assert_int_equal(p.fd_kinds[SAMPLE_FD_FILE], 3);
	assert_int_equal(r->n, 0); /* few of each: no group */
	assert_int_equal(r->s->links_n, 1);
	assert_int_equal(r->s->links[0].inode, 4711);
	assert_int_equal(r->s->links[0].fd, 3);
	root_done(r);
}

static void test_groups(void **state)
{
	struct root *r = root_make();
	struct sample_process p = {0};
	char to[64];
	unsigned int fd = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		root_link(r, fd++, "/srv/config");
	for (unsigned int i = 0; i < 12; i++) {
		snprintf(to, sizeof to, "/srv/part-%u.sst", 8 + i * i); /* one digit or several: the same pattern */
		root_link(r, fd++, to);
	}
	for (unsigned int i = 0; i < 9; i++) { /* names of no system: their folder */
		snprintf(to, sizeof to, "/tmp/tmp%c%cq (deleted)", (char)('a' + i), (char)('z' - i));
		root_link(r, fd++, to);
	}
	for (unsigned int i = 0; i < 7; i++)
		root_link(r, fd++, "/srv/few/x");
	sample_fds(r->s, PID, &p);
	assert_int_equal(r->n, 3);
	assert_int_equal(group(r, "/srv/config")->e.a0, 10);
	assert_int_equal(group(r, "/srv/part-#.sst")->e.a0, 12);
	assert_int_equal(group(r, "/srv/part-#.sst")->e.a1, SAMPLE_FD_FILE);
	assert_int_equal(group(r, "/tmp/* (deleted)")->e.a0, 9);
	assert_int_equal(p.fds, fd);
	root_done(r);
}

static void test_none(void **state)
{
	struct root *r = root_make();
	struct sample_process p = {.fds = SAMPLE_UNKNOWN};

	(void)state;
	sample_fds(r->s, PID, &p);
	assert_true(p.fds == SAMPLE_UNKNOWN && r->n == 0);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_kinds), cmocka_unit_test(test_groups), cmocka_unit_test(test_none))
