/*
 * Asking the agent for the session's memory (handover.h): for a program that a service starts as another user, which may not open
 * the agent's /proc entry. Runs in the constructor only, with system calls of its own; the agent answers at once or never.
 */
#include "preload/handover.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "preload/cpu.h"
#include "wire/handover.h"

static long ask(int fd, const struct sockaddr_un *address, socklen_t len)
{
	const struct timeval limit = {.tv_sec = 0, .tv_usec = WIRE_HANDOVER_WAIT_MS * 1000};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *c;
	int memory = -ENOENT;
	long r;

	r = cpu_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, (long)&limit, sizeof(limit), 0);
	if (r == 0)
		r = cpu_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)&limit, sizeof(limit), 0);
	if (r == 0)
		r = cpu_syscall(SYS_connect, fd, (long)address, (long)len, 0, 0, 0);
	if (r == 0)
		r = cpu_syscall(SYS_recvmsg, fd, (long)&m, MSG_CMSG_CLOEXEC, 0, 0, 0);
	if (r < 0)
		return r;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&memory, CMSG_DATA(c), sizeof(int));
	return memory;
}

int handover_ask(const char *session)
{
	struct sockaddr_un address;
	const socklen_t len = wire_handover_address(session, &address);
	long fd, memory;

	if (len == 0)
		return -ENAMETOOLONG;
	fd = cpu_syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0);
	if (fd < 0)
		return (int)fd;
	memory = ask((int)fd, &address, len);
	(void)cpu_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	return (int)memory;
}
