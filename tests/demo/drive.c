/*
 * Everything around the demo shop: its two dependencies, and its customers. `drive [--log FILE] CMD [ARG]…` starts `CMD ARG… PAYMENTS_PORT
 * INVENTORY_PORT`, sends orders to the port that it prints, ends it with SIGTERM, and exits with its status.
 *
 * payments answers slowly now and then; inventory fails for a while for one item, then has it. Both do so by count, not by time, so that
 * every run is alike. Threads: one for each dependency, one that reads the shop's output; the main thread is the customer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

#define ORDERS 12
#define SCARCE "espresso" /* the item that inventory fails for */
#define SCARCE_FAILS 40   /* so often */
#define SCARCE_ORDER 4
#define SLOW_EVERY 6
#define SLOW_MS 1400
#define QUICK_MS 15

struct upstream {
	int listener;
	unsigned short port;
	int (*answer)(const struct message *request, unsigned int count); /* status */
};

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* The work that a payment takes. */
static int payments(const struct message *request, unsigned int count)
{
	(void)request;
	pause_ms(count % SLOW_EVERY == 0 ? SLOW_MS : QUICK_MS);
	return 200;
}

static int inventory(const struct message *request, unsigned int count)
{
	static unsigned int failed;

	(void)count;
	if (strncmp(request->text, "GET /stock/" SCARCE " ", strlen("GET /stock/" SCARCE " ")) != 0)
		return 200;
	return failed++ < SCARCE_FAILS ? 503 : 200;
}

static void *serve(void *arg)
{
	struct upstream *u = arg;

	for (unsigned int count = 1;; count++) {
		struct message request;
		char answer[256];
		int fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return NULL;
		if (http_read(fd, http_plain_read, NULL, &request) == 0) {
			int status = u->answer(&request, count);
			http_write(fd, answer, http_response(answer, sizeof(answer), status, status == 200 ? "ok" : "try again"));
		}
		close(fd);
	}
}

static bool start_upstream(struct upstream *u)
{
	pthread_t t;

	u->listener = http_listen(&u->port);
	return u->listener >= 0 && pthread_create(&t, NULL, serve, u) == 0;
}

/* A card number of the customer's own: an issuer's prefix, the order's number, and the check digit that makes it valid (Luhn). */
static void make_card(unsigned int order, char *card, size_t size)
{
	unsigned long digits = 455673780000000UL + 7919UL * (order + 11);
	unsigned int sum = 0;

	snprintf(card, size, "%015lu0", digits);
	for (int i = 0; i < 15; i++) {
		unsigned int d = (unsigned int)(card[i] - '0') * (i % 2 == 0 ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	card[15] = (char)('0' + (10 - sum % 10) % 10);
}

/* One order; its status, 0 if there was no answer. */
static int order(unsigned short port, unsigned int number)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char card[32], body[256], request[512];
	struct message answer;
	int status = 0;

	make_card(number, card, sizeof(card));
	int len = snprintf(body, sizeof(body), "item=%s&email=customer.%u@postkontor.net&card=%s",
			   number == SCARCE_ORDER ? SCARCE
			   : number % 2           ? "tea"
						  : "cocoa",
			   number, card);
	int n = snprintf(request, sizeof(request), "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n%s", len,
			 body);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && http_write(fd, request, (size_t)n) == 0 &&
	    http_read(fd, http_plain_read, NULL, &answer) == 0)
		status = http_status(&answer);
	if (fd >= 0)
		close(fd);
	return status;
}

struct output {
	FILE *from, *log;
};

static void *drain(void *arg)
{
	struct output *o = arg;
	char line[1024];

	while (fgets(line, sizeof(line), o->from))
		if (o->log)
			fputs(line, o->log);
	return NULL;
}

/* Start the command with the ports of the dependencies as its last arguments and its output in a pipe. Its pid, or -1. */
static pid_t start_shop(char **argv, int argc, const struct upstream *pay, const struct upstream *stock, FILE **ret_out)
{
	char ports[2][16];
	int out[2];
	char **words = calloc((size_t)argc + 3, sizeof(*words));

	if (!words || pipe2(out, O_CLOEXEC) < 0)
		return -1;
	snprintf(ports[0], sizeof(ports[0]), "%u", pay->port);
	snprintf(ports[1], sizeof(ports[1]), "%u", stock->port);
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	words[argc] = ports[0];
	words[argc + 1] = ports[1];
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execvp(words[0], words);
		perror(words[0]);
		_exit(127);
	}
	free(words);
	close(out[1]);
	*ret_out = fdopen(out[0], "r");
	return pid;
}

int main(int argc, char **argv)
{
	struct upstream pay = {.answer = payments}, stock = {.answer = inventory};
	struct output output = {0};
	char line[128] = "";
	unsigned int done = 0;
	int first = 1, status;

	if (argc > 3 && strcmp(argv[1], "--log") == 0) {
		output.log = fopen(argv[2], "we");
		first = 3;
	}
	if (first >= argc || !start_upstream(&pay) || !start_upstream(&stock)) {
		fprintf(stderr, "usage: drive [--log FILE] CMD [ARG]…\n");
		return 2;
	}
	pid_t pid = start_shop(argv + first, argc - first, &pay, &stock, &output.from);
	if (pid < 0 || !output.from)
		return 2;
	unsigned int port = 0;
	if (!fgets(line, sizeof(line), output.from) || sscanf(line, "listening on %u", &port) != 1)
		fprintf(stderr, "drive: the shop did not come up\n");
	pthread_t reader;
	if (pthread_create(&reader, NULL, drain, &output) != 0)
		return 2;
	for (unsigned int i = 1; port && i <= ORDERS; i++)
		done += order((unsigned short)port, i) == 200;
	fprintf(stderr, "drive: %u of %d orders answered with 200\n", done, ORDERS);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	pthread_join(reader, NULL);
	if (output.log)
		fclose(output.log);
	return !port ? 1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
