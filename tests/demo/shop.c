/*
 * The demo service: takes orders over HTTP, asks the inventory, charges the card. `shop PAYMENTS_PORT INVENTORY_PORT` listens on a free
 * port of the loopback, prints "listening on PORT", and runs until SIGTERM.
 *
 * Four worker threads wait in accept; the main thread waits for the signal.
 */
#include "shop.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"

#define WORKERS 4

static struct shop shop;
static int listener;
static atomic_uint orders;

static void handle_order(int fd)
{
	struct message request;
	struct order o = {.number = ++orders};
	char answer[256];

	if (http_read(fd, http_plain_read, NULL, &request) < 0)
		return;
	http_field(request.body, "item", o.item, sizeof(o.item));
	http_field(request.body, "card", o.card, sizeof(o.card));
	http_field(request.body, "email", o.email, sizeof(o.email));
	const char *outcome = "done";
	if (inventory_reserve(&shop, &o) < 0)
		outcome = "not in stock";
	else if (payments_charge(&shop, &o) < 0)
		outcome = "not paid";
	log_order(&o, outcome);
	size_t len = http_response(answer, sizeof(answer), strcmp(outcome, "done") == 0 ? 200 : 503, outcome);
	http_write(fd, answer, len);
}

static void *worker(void *arg)
{
	(void)arg;
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return NULL;
		customer_accepted(fd);
		handle_order(fd);
		close(fd);
	}
}

static struct sockaddr_in on_loopback(const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	a.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	return a;
}

int main(int argc, char **argv)
{
	unsigned short port;
	sigset_t stop;
	int signal;

	if (argc != 3) {
		fprintf(stderr, "usage: shop PAYMENTS_PORT INVENTORY_PORT\n");
		return 2;
	}
	shop.payments = on_loopback(argv[1]);
	shop.inventory = on_loopback(argv[2]);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	listener = http_listen(&port);
	if (listener < 0) {
		perror("shop: cannot listen");
		return 1;
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, worker, NULL) != 0)
			return 1;
	}
	printf("listening on %u\n", port);
	fflush(stdout);
	sigwait(&stop, &signal);
	return 0;
}
