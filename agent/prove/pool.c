/*
 * See pool.h.
 */
#include "prove/pool.h"

#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_address(const struct sockaddr_storage *a, uint8_t to[16], uint16_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;

	if (a->ss_family == AF_INET) {
		memset(to, 0, 10);
		memset(to + 10, 0xff, 2);
		memcpy(to + 12, &v4->sin_addr, 4);
		*ret_port = v4->sin_port;
	} else if (a->ss_family == AF_INET6) {
		memcpy(to, &v6->sin6_addr, 16);
		*ret_port = v6->sin6_port;
	}
	return a->ss_family == AF_INET || a->ss_family == AF_INET6;
}

bool pool_address(const struct conn *c, uint8_t to[16], uint16_t *ret_port)
{
	return c->kind == CONN_TCP && c->role == CONN_CLIENT && read_address(&c->peer_addr, to, ret_port);
}

void pool_note(struct pool *p, const struct conn *c)
{
	for (unsigned int i = 0; i < POOL_MAX; i++)
		if (p->members[i].id == c->id)
			return;
	p->members[p->next].id = c->id;
	p->members[p->next].pid = c->process->pid;
	p->members[p->next].fd = c->fd;
	p->next = (p->next + 1) % POOL_MAX;
}

void pool_forget(struct pool *p, uint64_t id)
{
	for (unsigned int i = 0; i < POOL_MAX; i++)
		if (p->members[i].id == id)
			p->members[i].id = 0;
}

/* A copy of a descriptor of another process, or -1. */
static int copy_of(uint32_t pid, int fd)
{
	const int process = (int)syscall(SYS_pidfd_open, pid, 0);
	const int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);

	if (process >= 0)
		close(process);
	return copy;
}

/* The number may be another connection's by now. */
static bool goes_to(int fd, const struct wire_fault_peer *peer)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);
	uint8_t address[16];
	uint16_t port;

	return getpeername(fd, (struct sockaddr *)&a, &len) == 0 && read_address(&a, address, &port) &&
	       wire_fault_is(peer, address, port);
}

/* The last thing on it was an answer, as the kernel knows it (the model is a moment behind). It counts in ticks: a request that went out in the
 * tick of the answer before it looks like rest, and is one of those that the budget allows. */
static bool rests(int fd)
{
	struct tcp_info i = {0};
	socklen_t len = sizeof(i);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) == 0 && i.tcpi_state == 1 /* established */ && i.tcpi_unacked == 0 &&
	       i.tcpi_last_data_recv <= i.tcpi_last_data_sent;
}

unsigned int pool_end(struct pool *p, const struct wire_fault_peer *peer, unsigned int most)
{
	unsigned int ended = 0;

	for (unsigned int i = 0; i < POOL_MAX && ended < most; i++) {
		const int fd = p->members[i].id ? copy_of(p->members[i].pid, p->members[i].fd) : -1;

		if (fd < 0)
			continue;
		if (!goes_to(fd, peer)) {
			p->members[i].id = 0;
		} else if (rests(fd) && shutdown(fd, SHUT_RD) == 0) {
			p->members[i].id = 0;
			ended++;
		}
		close(fd);
	}
	return ended;
}
