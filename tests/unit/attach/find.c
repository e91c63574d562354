/* Targets by number, name and port; children; and what is not there. */
#include "attach/find.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "attach/target.h"

static bool has(const struct find_result *r, pid_t pid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->pids[i] == pid)
			return true;
	return false;
}

static void test_number_and_children(void **state)
{
	struct target child = target_start();
	struct find_result r = {.n = 0};
	char err[256];

	(void)state;
	assert_int_equal(find_target(&(struct find_query){.pid = child.pid}, &r, err, sizeof(err)), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.pids[0], child.pid);
	assert_int_equal(find_children(&r), 0);
	r = (struct find_result){.pids = {getpid()}, .n = 1};
	assert_true(find_children(&r) >= 1);
	assert_true(has(&r, child.pid));
	target_end(&child);
}

static void test_name(void **state)
{
	struct find_result r;
	struct target child;
	char err[256];

	(void)state;
	prctl(PR_SET_NAME, "gs-find-test");
	child = target_start();
	assert_int_equal(find_target(&(struct find_query){.name = "gs-find-test"}, &r, err, sizeof(err)), 0);
	assert_true(has(&r, child.pid));
	assert_false(has(&r, getpid())); /* never ourselves */
	assert_int_equal(find_target(&(struct find_query){.name = "no such name"}, &r, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "no such name"));
	target_end(&child);
}

static void test_port(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct find_result r;
	struct target child;
	char err[256];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	child = target_start();
	close(fd); /* the child has it alone now */
	assert_int_equal(find_target(&(struct find_query){.port = ntohs(a.sin_port)}, &r, err, sizeof(err)), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.pids[0], child.pid);
	target_end(&child);
	assert_int_equal(find_target(&(struct find_query){.port = ntohs(a.sin_port)}, &r, err, sizeof(err)), -ENOENT);
}

static void test_nothing(void **state)
{
	struct find_result r;
	char err[256];

	(void)state;
	assert_int_equal(find_target(&(struct find_query){0}, &r, err, sizeof(err)), -EINVAL);
	assert_int_equal(find_target(&(struct find_query){.unit = "no-such-unit"}, &r, err, sizeof(err)), -ENOENT);
	assert_int_equal(find_target(&(struct find_query){.cgroup = "no/such/cgroup"}, &r, err, sizeof(err)), -ENOENT);
}

TEST_MAIN(cmocka_unit_test(test_number_and_children), cmocka_unit_test(test_name), cmocka_unit_test(test_port),
	  cmocka_unit_test(test_nothing))
