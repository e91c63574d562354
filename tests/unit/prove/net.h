/* A peer on loopback, fault rows in shared memory, and a service's side of a connection to try a relay with. */
#ifndef GAPSCOPE_TESTS_PROVE_NET_H
#define GAPSCOPE_TESTS_PROVE_NET_H

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "prove/relay.h"

#define PATIENCE_MS 20000 /* for what must come */
#define GLANCE_MS 300     /* for what must not */

static inline uint64_t net_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static inline struct wire_fault *net_fault(void)
{
	struct wire_fault *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(f, MAP_FAILED);
	return f;
}

static inline int net_listen(uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&a, &len), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline int net_connect(uint32_t address, uint16_t port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a));
	return fd;
}

/* The row of a peer on loopback. */
static inline uint32_t net_row(struct wire_fault *f, uint16_t port)
{
	static const uint8_t loopback[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};

	return wire_fault_row(f, loopback, htons(port));
}

/* As the shim leads a connection of the service. */
static inline int net_led(const struct wire_fault *f, uint32_t row, uint16_t port)
{
	(void)f;
	return net_connect(WIRE_FAULT_NET + row + 1, port);
}

static inline bool net_ready(int fd, short events, int ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, ms) == 1;
}

/* Exactly this text comes. */
static inline void net_expect(int fd, const char *text)
{
	char got[512] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		assert_true(net_ready(fd, POLLIN, PATIENCE_MS));
		const ssize_t more = recv(fd, got + n, strlen(text) - n, 0);

		assert_true(more > 0);
		n += (size_t)more;
	}
	assert_memory_equal(got, text, n);
}

static inline void net_say(int fd, const char *text)
{
	assert_true(net_ready(fd, POLLOUT, PATIENCE_MS));
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline int net_accept(int listener)
{
	assert_true(net_ready(listener, POLLIN, PATIENCE_MS));
	return accept(listener, NULL, NULL);
}

#endif
