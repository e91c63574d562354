/* Which calls are harmless. */
#include "attach/place.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

static void test_allowed(void **state)
{
	int pair[2];
	const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(place_allowed(getpid(), SYS_epoll_wait, 0));
	assert_true(place_allowed(getpid(), SYS_read, pair[0]));
	assert_true(place_allowed(getpid(), SYS_connect, pair[0]));
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 3}, sizeof(struct timeval)), 0);
	assert_false(place_allowed(getpid(), SYS_connect, pair[1]));
	assert_false(place_allowed(getpid(), SYS_connect, 99999));
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

TEST_MAIN(cmocka_unit_test(test_allowed))
