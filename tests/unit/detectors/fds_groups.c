/*
 * Descriptor leaks that samples of /proc alone show.
 */
#include "detectors/samples.h"

#define RULE "resource.fd.leak"

static void play(struct rig *r, const char *pattern, enum sample_fd kind, unsigned int seconds, double a_second, unsigned int max)
{
	rig_init(r, &fds_detector);
	for (unsigned int i = 0; i < seconds; i++) {
		const unsigned int n = 8 + (unsigned int)(a_second * i);

		sample_files(&r->s, pattern, n < max ? n : max, kind);
		sample_process(&r->s, &(struct sample_process){.threads = 4,
							       .fds = n < max ? n : max,
							       .fd_limit = 1024,
							       .fd_kinds = {[SAMPLE_FD_SOCKET] = 3}});
		sample_second(&r->s);
	}
}

static bool leaks(const char *pattern, enum sample_fd kind, unsigned int seconds, double a_second, unsigned int max)
{
	struct rig r;

	play(&r, pattern, kind, seconds, a_second, max);
	rig_finish(&r);
	const bool found = rig_found(&r, RULE) != NULL;
	rig_done(&r);
	return found;
}

static void test_leaks(void **state)
{
	(void)state;
	assert_true(leaks("/srv/config", SAMPLE_FD_FILE, 30, 2, 1000));
	assert_true(leaks("anon_inode:[eventfd]", SAMPLE_FD_EVENT, 30, 2, 1000));
	assert_true(leaks("/srv/part-#", SAMPLE_FD_FILE, 60, 3, 1000));
}

static void test_no_leaks(void **state)
{
	(void)state;
	assert_false(leaks("/srv/config", SAMPLE_FD_FILE, 60, 2, 40)); /* up to a size */
	assert_false(leaks("/srv/config", SAMPLE_FD_FILE, 60, 5, 100));
	assert_false(leaks("/srv/config", SAMPLE_FD_FILE, 60, 0, 40));
	assert_false(leaks("/srv/part-#", SAMPLE_FD_FILE, 40, 1, 1000));  /* a cache may hold so many */
	assert_false(leaks("socket:[#]", SAMPLE_FD_SOCKET, 60, 3, 1000)); /* records tell of sockets */
	assert_false(leaks("/srv/config", SAMPLE_FD_FILE, 9, 5, 1000));
}

static void test_what_is_told(void **state)
{
	struct rig r;

	(void)state;
	play(&r, "/srv/config", SAMPLE_FD_FILE, 60, 2, 1000);
	const struct rig_finding *f = rig_found(&r, RULE);
	assert_non_null(f); /* while it goes on */
	rig_finish(&r);
	f = rig_found(&r, RULE);
	assert_string_equal(f->key, "/srv/config");
	assert_int_equal(f->count, 8 + 2 * 59);
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_non_null(strstr(f->message, "120 more a minute"));
	rig_done(&r);
}

/* Its process is gone: nothing is judged twice. */
static void test_gone(void **state)
{
	struct rig r;

	(void)state;
	play(&r, "/srv/config", SAMPLE_FD_FILE, 40, 2, 1000);
	script_start(&r.s, 100, 1, "/bin/x");
	script_exit(&r.s, 100);
	const uint64_t count = rig_found(&r, RULE)->count;
	rig_finish(&r);
	assert_int_equal(rig_found(&r, RULE)->count, count);
	rig_done(&r);
}

static uint64_t told_as(const struct rig *r, const char *key)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->found_n; i++)
		n += strcmp(r->found[i].key, key) == 0;
	return n;
}

/* What records tell of is told by its call site, once, and nothing beside it stays untold. */
static void test_beside_a_site(void **state)
{
	struct rig r;
	int fd = 10;

	(void)state;
	rig_init(&r, &fds_detector);
	r.s.stack = stacks_add(r.s.stacks, &(struct frame){.function = "open_it", .module = "app"}, 1);
	for (unsigned int i = 0; i < 60; i++) {
		const uint64_t n = 8 + 3 * i;

		for (int k = 0; k < 3; k++) {
			script_open(&r.s, fd++, "/srv/out", O_WRONLY);
			script_event(&r.s, (struct event){.id = WIRE_EPOLL_CREATE, .fd = -1, .ret = fd++});
		}
		sample_files(&r.s, "/srv/out", n, SAMPLE_FD_FILE);
		sample_files(&r.s, "/srv/config", n, SAMPLE_FD_FILE);
		sample_files(&r.s, "anon_inode:[eventfd]", n, SAMPLE_FD_EVENT);
		sample_files(&r.s, "anon_inode:[eventpoll]", n, SAMPLE_FD_EPOLL);
		sample_process(&r.s, &(struct sample_process){.threads = 4, .fds = 4 * n, .fd_limit = 1024});
		sample_second(&r.s);
	}
	rig_finish(&r);
	assert_true(told_as(&r, "files") > 0 && told_as(&r, "descriptors") > 0); /* by their sites */
	assert_int_equal(told_as(&r, "/srv/out"), 0);
	assert_int_equal(told_as(&r, "anon_inode:[eventpoll]"), 0);
	assert_true(told_as(&r, "/srv/config") > 0);
	assert_true(told_as(&r, "anon_inode:[eventfd]") > 0);
	rig_done(&r);
}

TEST_MAIN(cmocka_unit_test(test_leaks), cmocka_unit_test(test_no_leaks), cmocka_unit_test(test_what_is_told),
	  cmocka_unit_test(test_gone), cmocka_unit_test(test_beside_a_site))
