/*
 * Handing the session's memory over (handover.h). Whoever holds the memory reads what the service's processes captured, so only
 * processes that this agent has started, itself or through others, are given it. Main thread; nothing here waits.
 */
#include "commands/handover.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/process_stat.h"
#include "wire/handover.h"

#define ANCESTORS_MAX 64U

int handover_listen(const char *session)
{
	struct sockaddr_un address;
	const socklen_t len = wire_handover_address(session, &address);
	int fd, e;

	if (len == 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0)
		return fd;
	e = -errno;
	close(fd);
	return e;
}

static bool descends_from_us(pid_t pid)
{
	const pid_t us = getpid();

	for (unsigned int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = process_parent(pid);
		if (pid == us)
			return true;
	}
	return false;
}

static bool give(int to, int memory)
{
	char byte = 1;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &memory, sizeof(int));
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

unsigned int handover_answer(int listener, int memory)
{
	unsigned int given = 0;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct ucred peer = {0};
		socklen_t len = sizeof(peer);

		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && descends_from_us(peer.pid) && give(fd, memory))
			given++;
		close(fd);
	}
	return given;
}
