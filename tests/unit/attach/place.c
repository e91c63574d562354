/* Which calls are harmless, and where a child is. */
#include "attach/place.h"

#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "attach/target.h"

static void test_allowed(void **state)
{
	int pair[2];
	const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(place_allowed(getpid(), SYS_epoll_wait, 0));
	assert_true(place_allowed(getpid(), SYS_read, pair[0]));
	assert_false(place_allowed(getpid(), SYS_read, file));
	assert_false(place_allowed(getpid(), SYS_read, 99999));
	assert_false(place_allowed(getpid(), SYS_futex, 0));
	assert_false(place_allowed(getpid(), SYS_mmap, 0));
	assert_false(place_allowed(getpid(), SYS_brk, 0));
	assert_false(place_allowed(getpid(), -1, 0));
	close(pair[0]);
	close(pair[1]);
	close(file);
}

static void test_where(void **state)
{
	struct target child = target_start();
	uint64_t ip = 0;
	long first = 0;
	const long number = place_of(child.pid, child.pid, &first, &ip);

	(void)state;
	assert_true(number == SYS_poll || number == SYS_ppoll);
	assert_true(ip != 0);
	assert_int_equal(place_of(3999999, 3999999, &first, &ip), -1);
	target_end(&child);
}

TEST_MAIN(cmocka_unit_test(test_allowed), cmocka_unit_test(test_where))
