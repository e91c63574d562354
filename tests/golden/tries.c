/*
 * Clients that try again, one way each, and such that do not: what record_tries.py records for the golden tests.
 *
 *   tries MODE PORT
 */
#include <arpa/inet.h>
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

/* -- what is no retry -- */

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
