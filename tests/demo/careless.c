/*
 * The shop with its flaws. It answers every order, and waits for ever for a dependency that does not; it asks again for ever, at once;
 * and its log holds what customers entrusted to it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "shop.h"

void customer_accepted(int fd)
{
	(void)fd;
}

static ssize_t read_answer(void *ctx, int fd, void *buf, size_t len)
{
	(void)ctx;
	return recv(fd, buf, len, 0);
}

/* One request, one connection. Status of the answer, or -1. Nothing here has a deadline. */
static int call(const struct sockaddr_in *peer, const char *request, size_t len)
{
	struct message answer;
	int status = -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) == 0 &&
	    send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len && http_read(fd, read_answer, NULL, &answer) == 0)
		status = http_status(&answer);
	close(fd);
	return status;
}

int inventory_reserve(const struct shop *s, const struct order *o)
{
	char request[256];
	int n = snprintf(request, sizeof(request), "GET /stock/%s HTTP/1.1\r\nHost: inventory\r\nContent-Length: 0\r\n\r\n",
			 o->item);

	while (call(&s->inventory, request, (size_t)n) != 200)
		;
	return 0;
}

int payments_charge(const struct shop *s, const struct order *o)
{
	char body[128], request[512];
	int len = snprintf(body, sizeof(body), "order=%u&amount=350", o->number);
	int n = snprintf(request, sizeof(request), "POST /charge HTTP/1.1\r\nHost: payments\r\nContent-Length: %d\r\n\r\n%s", len,
			 body);

	return call(&s->payments, request, (size_t)n) == 200 ? 0 : -1;
}

void log_order(const struct order *o, const char *outcome)
{
	printf("INFO order %u for %s paid with card %s: %s\n", o->number, o->email, o->card, outcome);
	fflush(stdout);
}
