/*
 * The same shop, repaired: every wait has a deadline, asking again ends after three attempts with growing, random pauses, and the log
 * names the order and nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "shop.h"

#define CUSTOMER_TIMEOUT_S 5
#define CALL_TIMEOUT_MS 4000 /* connect, request and answer together */
#define ATTEMPTS 3
#define FIRST_PAUSE_MS 80

void customer_accepted(int fd)
{
	struct timeval t = {.tv_sec = CUSTOMER_TIMEOUT_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait until fd is ready for `events`, at most until the deadline. 0 or -1. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline_ms - now_ms();
		if (left <= 0)
			return -1;
		int n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0 || errno != EINTR)
			return -1;
	}
}

static ssize_t read_in_time(void *ctx, int fd, void *buf, size_t len)
{
	const int64_t *deadline_ms = ctx;

	return wait_for(fd, POLLIN, *deadline_ms) < 0 ? -1 : recv(fd, buf, len, 0);
}

static int write_in_time(int fd, const char *text, size_t len, int64_t deadline_ms)
{
	while (len) {
		if (wait_for(fd, POLLOUT, deadline_ms) < 0)
			return -1;
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int connect_in_time(int fd, const struct sockaddr_in *peer, int64_t deadline_ms)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) == 0)
		return 0;
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT, deadline_ms) < 0)
		return -1;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0 ? 0 : -1;
}

/* One request, one connection, one deadline. Status of the answer, or -1. */
static int call(const struct sockaddr_in *peer, const char *request, size_t len)
{
	int64_t deadline_ms = now_ms() + CALL_TIMEOUT_MS;
	struct message answer;
	int status = -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect_in_time(fd, peer, deadline_ms) == 0 && write_in_time(fd, request, len, deadline_ms) == 0 &&
	    http_read(fd, read_in_time, &deadline_ms, &answer) == 0)
		status = http_status(&answer);
	close(fd);
	return status;
}

/* Between half and the whole of the pause, so that many shops do not come back at once. */
static void pause_before(int attempt)
{
	unsigned int random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = (unsigned int)now_ms();
	long ms = FIRST_PAUSE_MS << (attempt - 1);
	ms = ms / 2 + (long)(random % (unsigned int)(ms / 2));
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

int inventory_reserve(const struct shop *s, const struct order *o)
{
	char request[256];
	int n = snprintf(request, sizeof(request), "GET /stock/%s HTTP/1.1\r\nHost: inventory\r\nContent-Length: 0\r\n\r\n",
			 o->item);

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (attempt)
			pause_before(attempt);
		if (call(&s->inventory, request, (size_t)n) == 200)
			return 0;
	}
	return -1;
}

int payments_charge(const struct shop *s, const struct order *o)
{
	char body[128], request[512];
	int len = snprintf(body, sizeof(body), "order=%u&amount=350", o->number);
	int n = snprintf(request, sizeof(request),
			 "POST /charge HTTP/1.1\r\nHost: payments\r\nIdempotency-Key: order-%u\r\nContent-Length: %d\r\n\r\n%s",
			 o->number, len, body);

	return call(&s->payments, request, (size_t)n) == 200 ? 0 : -1;
}

void log_order(const struct order *o, const char *outcome)
{
	printf("INFO order %u: %s\n", o->number, outcome);
	fflush(stdout);
}
