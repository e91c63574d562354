/*
 * Clients that try again, one way each, and such that do not: what record_tries.py records for the golden tests.
 *
 *   tries MODE PORT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint16_t port;

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* Status of one request on a connection of its own, 0 if there was none. */
static int ask(const char *method, const char *path, const char *more)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct timeval limit = {.tv_sec = 2};
	char text[1024];
	int status = 0, fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: payments\r\n%s\r\n", method, path, more);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && send(fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		status = n > 9 ? atoi(text + 9) : 0;
	}
	close(fd);
	return status;
}

static int again(const char *method, const char *more, int attempts, long (*delay)(int))
{
	for (int i = 0; i < attempts; i++) {
		int status = ask(method, "/orders/17", more);
		if (status >= 200 && status < 400)
			return 0;
		if (i + 1 < attempts)
			pause_ms(delay(i));
	}
	return 1;
}

static long none(int i)
{
	(void)i;
	return 0;
}

static long constant(int i)
{
	(void)i;
	return 150;
}

static long linear(int i)
{
	return 100 * (i + 1);
}

static long doubling(int i)
{
	return 100L << i;
}

static long capped(int i)
{
	return i < 2 ? 100L << i : 400;
}

/* Drawn once for all recordings: between zero and a delay that doubles. */
static long drawn(int i)
{
	static const long delays[] = {90, 70, 310, 150, 1100, 420};

	return delays[i % 6];
}

static long at_once_first(int i)
{
	return i == 0 ? 0 : 100L << i;
}

/* Drawn anew, up to a cap: who connects again and again does so with care. */
static long careful(int i)
{
	static unsigned int seed = 3;

	seed = seed * 1103515245U + 12345U;
	return 20 + (long)((seed >> 16) % (i < 3 ? 50U << i : 400U));
}

static long nested(int i)
{
	static const long delays[] = {0, 100, 200, 150};

	return delays[i % 4];
}

static void *one(void *path)
{
	ask("GET", path, "");
	return NULL;
}

/* Seven calls of four attempts each. */
static int calls(void)
{
	for (int i = 0; i < 7; i++) {
		if (i)
			pause_ms(900);
		again("GET", "", 4, doubling);
	}
	return 1;
}

/* Between zero and a delay that doubles, another one each time. */
static long drawn_anew(int i)
{
	static unsigned int seed = 7;

	seed = seed * 1103515245U + 12345U;
	return (long)((seed >> 16) % (100U << i));
}

/* The same while what they need is down: delays and pauses are drawn alike. */
static int outage(void)
{
	for (int i = 0; i < 8; i++) {
		if (i)
			pause_ms(drawn_anew(2));
		again("GET", "", 4, drawn_anew);
	}
	return 1;
}

/* Three calls of an SDK that counts its attempts, with nothing between them. */
static int numbered(void)
{
	for (int i = 0; i < 9; i++) {
		char count[64];
		snprintf(count, sizeof(count), "x-stainless-retry-count: %d\r\n", i % 3);
		ask("GET", "/orders/17", count);
	}
	return 1;
}

/* -- what is no retry -- */

/* A second question where the first was not answered soon: both are under way at once. */
static int hedge(void)
{
	for (int i = 0; i < 6; i++) {
		pthread_t threads[2];
		for (int k = 0; k < 2; k++) {
			pthread_create(&threads[k], NULL, one, "/orders/17");
			pause_ms(10);
		}
		for (int k = 0; k < 2; k++)
			pthread_join(threads[k], NULL);
		pause_ms(20);
	}
	return 0;
}

/* Who is asked for credentials sends them. */
static int login(void)
{
	for (int i = 0; i < 6; i++) {
		if (ask("GET", "/orders/17", "") == 401)
			ask("GET", "/orders/17", "Authorization: Basic YTpi\r\n");
		pause_ms(20);
	}
	return 0;
}

/* The first address of a name refuses, and the next one takes the connection. */
static int addresses(void)
{
	char service[8];

	snprintf(service, sizeof(service), "%u", (unsigned int)port);
	for (int i = 0; i < 6; i++) {
		const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
		struct addrinfo *found = NULL;
		int fd = -1, connected = -1;
		if (getaddrinfo("payments", service, &hints, &found) != 0)
			return 1;
		for (const struct addrinfo *a = found; a && connected < 0; a = a->ai_next) {
			fd = socket(a->ai_family, a->ai_socktype, 0);
			connected = connect(fd, a->ai_addr, a->ai_addrlen);
			if (connected < 0)
				close(fd);
		}
		freeaddrinfo(found);
		if (connected == 0)
			close(fd);
		pause_ms(20);
	}
	return 0;
}

/* Ruby and others ask connect() itself whether it has succeeded. */
static int second_connect(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (int i = 0; i < 6; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		fcntl(fd, F_SETFL, O_NONBLOCK);
		for (int k = 0; k < 2 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0; k++)
			poll(&ready, 1, 1000);
		close(fd);
		pause_ms(20);
	}
	return 0;
}

static int pages(void)
{
	for (int i = 0; i < 12; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/items?page=%d", i);
		ask("GET", path, "");
	}
	return 0;
}

static int poll_status(void)
{
	for (int i = 0; i < 20; i++) {
		ask("GET", "/status", "");
		pause_ms(100);
	}
	return 0;
}

static int fan_out(void)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, one, "/shard");
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void *late_one(void *path)
{
	pause_ms(200); /* until all of them are there */
	ask("GET", path, "");
	return NULL;
}

/* Workers that fail once each, one after the other. */
static int workers(void)
{
	pthread_t threads[12];

	for (int i = 0; i < 12; i++) {
		pthread_create(&threads[i], NULL, late_one, "/job");
		pause_ms(15);
	}
	for (int i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int cron(void)
{
	for (int i = 0; i < 6; i++) {
		pid_t child = fork();
		if (child == 0) {
			ask("GET", "/nightly", "");
			exit(0);
		}
		waitpid(child, NULL, 0);
		pause_ms(150);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
	const char *method, *more;
	int attempts;
	long (*delay)(int);
} modes[] = {
	{.name = "once", .method = "GET", .more = "", .attempts = 1, .delay = none},
	{.name = "hasty", .method = "GET", .more = "", .attempts = 8, .delay = none},
	{.name = "forever", .method = "GET", .more = "", .attempts = 100, .delay = none},
	{.name = "constant", .method = "GET", .more = "", .attempts = 8, .delay = constant},
	{.name = "linear", .method = "GET", .more = "", .attempts = 6, .delay = linear},
	{.name = "doubling", .method = "GET", .more = "", .attempts = 5, .delay = doubling},
	{.name = "capped", .method = "GET", .more = "", .attempts = 10, .delay = capped},
	{.name = "drawn", .method = "GET", .more = "", .attempts = 7, .delay = drawn},
	{.name = "at_once_first", .method = "GET", .more = "", .attempts = 5, .delay = at_once_first},
	{.name = "nested", .method = "GET", .more = "", .attempts = 12, .delay = nested},
	{.name = "post", .method = "POST", .more = "Content-Length: 0\r\n", .attempts = 3, .delay = doubling},
	{.name = "post_with_key",
	 .method = "POST",
	 .more = "Content-Length: 0\r\nIdempotency-Key: a1\r\n",
	 .attempts = 3,
	 .delay = doubling},
	{.name = "careful", .method = "GET", .more = "", .attempts = 30, .delay = careful},
	{.name = "numbered", .run = numbered},
	{.name = "hedge", .run = hedge},
	{.name = "login", .run = login},
	{.name = "addresses", .run = addresses},
	{.name = "second_connect", .run = second_connect},
	{.name = "pages", .run = pages},
	{.name = "poll", .run = poll_status},
	{.name = "fan_out", .run = fan_out},
	{.name = "cron", .run = cron},
	{.name = "workers", .run = workers},
	{.name = "calls", .run = calls},
	{.name = "outage", .run = outage},
};

int main(int argc, char **argv)
{
	port = (uint16_t)(argc == 3 ? atoi(argv[2]) : 0);
	for (size_t i = 0; port && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].name, argv[1]) == 0)
			return modes[i].run ? modes[i].run()
					    : again(modes[i].method, modes[i].more, modes[i].attempts, modes[i].delay);
	}
	fprintf(stderr, "usage: tries MODE PORT\n");
	return 2;
}
