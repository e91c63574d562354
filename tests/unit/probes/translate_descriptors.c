/* translate_descriptors.c: sockets, options and copies become the records that the shim would have made of them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "translated.h"

static void descriptors(void **state)
{
	const uint32_t pair[2] = {7, 8}, on = 1;
	const uint64_t second_and_half[2] = {1, 500000};
	const struct wire_record *r = MAKE(SYS_socket, 6, NULL, 0, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	assert_int_equal(r->fd, 6);
	assert_int_equal(r->a0, (uint64_t)AF_INET << 32 | SOCK_STREAM | SOCK_NONBLOCK);
	assert_int_equal(r->flags, WIRE_F_NONBLOCK);
	r = MAKE(SYS_socketpair, 0, pair, 8, AF_UNIX, SOCK_STREAM, 0, 0x1000);
	assert_int_equal(r->fd, 7);
	assert_int_equal(r->a1, 8);
	assert_int_equal(r->data_len, 0);
	r = MAKE(SYS_pipe2, 0, pair, 8, 0x1000, O_CLOEXEC);
	assert_int_equal(r->fd, 7);
	assert_int_equal(r->a1, 8);
	assert_int_equal(r->a0, O_CLOEXEC);
	r = MAKE(SYS_connect, -EINPROGRESS, "\2\0", 2, 6, 0x1000, 16);
	assert_int_equal(r->a1, 1);
	assert_int_equal(r->flags, WIRE_F_NONBLOCK);
	assert_int_equal(r->data_len, 2);
	r = MAKE(SYS_accept4, 11, "\2\0", 2, 3, 0, 0, SOCK_CLOEXEC);
	assert_int_equal(r->event, WIRE_ACCEPT);
	assert_int_equal(r->fd, 3);
	assert_int_equal(r->ret, 11);
	assert_int_equal(r->a0, SOCK_CLOEXEC);
	r = MAKE(SYS_setsockopt, 0, second_and_half, 16, 6, SOL_SOCKET, SO_RCVTIMEO, 0x1000, 16);
	assert_int_equal(r->a1, 1500000000ULL);
	assert_int_equal(r->a0, (uint64_t)SOL_SOCKET << 32 | SO_RCVTIMEO);
	assert_null(MAKE(SYS_getsockopt, 0, &on, 4, 6, SOL_SOCKET, SO_RCVBUF, 0x1000, 0x2000));
	assert_non_null(MAKE(SYS_getsockopt, 0, &on, 4, 6, SOL_SOCKET, SO_ERROR, 0x1000, 0x2000));
	r = MAKE(SYS_fcntl, 0, NULL, 0, 6, F_SETFL, O_NONBLOCK);
	assert_int_equal(r->event, WIRE_SETFL);
	assert_int_equal(r->a0, O_NONBLOCK);
	r = MAKE(SYS_fcntl, 12, NULL, 0, 6, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(r->event, WIRE_DUP);
	assert_int_equal(r->a0, O_CLOEXEC);
	assert_null(MAKE(SYS_fcntl, 2, NULL, 0, 6, F_GETFL, 0));
	assert_int_equal(MAKE(SYS_ioctl, 0, &on, 4, 6, FIONBIO, 0x1000)->a0, O_NONBLOCK);
	assert_null(MAKE(SYS_ioctl, 0, &on, 4, 6, TIOCGWINSZ, 0x1000));
	r = MAKE(SYS_close_range, 0, NULL, 0, 3, UINT32_MAX);
	assert_int_equal(r->event, WIRE_CLOSE);
	assert_int_equal(r->flags, WIRE_F_RANGE);
	assert_int_equal(r->a0, UINT32_MAX);
}

TEST_MAIN(cmocka_unit_test(descriptors))
