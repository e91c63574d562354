/* An HTTP receiver with faults to order. One thread serves all connections, by poll. */
#include "exporters/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX (1U << 22)

struct link {
	int fd;
	unsigned int number;
	uint8_t *bytes;
	size_t len;
};

struct receiver {
	int listener, stop[2];
	char url[64];
	const struct answer *script;
	size_t script_n;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct received got[RECEIVED_MAX];
	size_t got_n;
	unsigned int connections;
	struct link links[CONNECTIONS_MAX];
};

static void drop(struct link *l, bool reset)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	if (reset)
		setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(l->fd);
	free(l->bytes);
	*l = (struct link){.fd = -1};
}

static void send_all(int fd, const void *data, size_t len)
{
	for (const char *at = data; len > 0;) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void answer(struct link *l, const struct answer *a)
{
	char head[512];
	if (a->how == ANSWER_NONE)
		return;
	if (a->how == ANSWER_RESET) {
		drop(l, true);
		return;
	}
	int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", a->status != 0 ? a->status : 200,
			 a->body_len, a->headers != NULL ? a->headers : "");
	send_all(l->fd, head, (size_t)n);
	send_all(l->fd, a->body, a->body_len);
}

static void take(struct receiver *r, struct link *l, size_t head_len, size_t body_len)
{
	static const struct answer plain;
	pthread_mutex_lock(&r->lock);
	size_t i = r->got_n;
	if (i < RECEIVED_MAX) {
		struct received *got = &r->got[i];
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		got->at_ns = (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
		got->connection = l->number;
		snprintf(got->head, sizeof got->head, "%.*s", (int)head_len, (const char *)l->bytes);
		got->body = malloc(body_len + 1);
		memcpy(got->body, l->bytes + head_len, body_len);
		got->body_len = body_len;
		r->got_n++;
	}
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	l->len = 0;
	answer(l, i < r->script_n ? &r->script[i] : &plain);
}

static void readable(struct receiver *r, struct link *l)
{
	ssize_t n = recv(l->fd, l->bytes + l->len, REQUEST_MAX - l->len, 0);
	if (n <= 0) {
		drop(l, false);
		return;
	}
	l->len += (size_t)n;
	const char *end = memmem(l->bytes, l->len, "\r\n\r\n", 4);
	if (end == NULL)
		return;
	size_t head_len = (size_t)(end + 4 - (const char *)l->bytes);
	char head[4096];
	snprintf(head, sizeof head, "%.*s", (int)head_len, (const char *)l->bytes);
	const char *length = strcasestr(head, "\r\ncontent-length:");
	size_t body_len = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
	if (l->len >= head_len + body_len)
		take(r, l, head_len, body_len);
}

static void accept_one(struct receiver *r)
{
	int fd = accept(r->listener, NULL, NULL);
	for (size_t i = 0; i < CONNECTIONS_MAX && fd >= 0; i++) {
		if (r->links[i].fd >= 0)
			continue;
		r->links[i] = (struct link){.fd = fd, .number = ++r->connections, .bytes = malloc(REQUEST_MAX)};
		return;
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct receiver *r = arg;
	for (;;) {
		struct pollfd set[CONNECTIONS_MAX + 2] = {{.fd = r->stop[0], .events = POLLIN},
							  {.fd = r->listener, .events = POLLIN}};
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			set[i + 2] = (struct pollfd){.fd = r->links[i].fd, .events = POLLIN};
		if (poll(set, CONNECTIONS_MAX + 2, -1) < 0 || set[0].revents != 0)
			break;
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			if (set[i + 2].revents != 0)
				readable(r, &r->links[i]);
		if (set[1].revents != 0)
			accept_one(r);
	}
	return NULL;
}

struct receiver *receiver_new(const struct answer *script, size_t n)
{
	struct receiver *r = calloc(1, sizeof *r);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	r->script = script;
	r->script_n = n;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		r->links[i].fd = -1;
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(r->listener, (struct sockaddr *)&in, len) != 0 || listen(r->listener, 16) != 0 ||
	    getsockname(r->listener, (struct sockaddr *)&in, &len) != 0 || pipe(r->stop) != 0)
		abort();
	snprintf(r->url, sizeof r->url, "http://127.0.0.1:%u", ntohs(in.sin_port));
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, &clock);
	if (pthread_create(&r->thread, NULL, serve, r) != 0)
		abort();
	return r;
}

const char *receiver_url(const struct receiver *r)
{
	return r->url;
}

size_t receiver_wait(struct receiver *r, size_t n)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 10;
	pthread_mutex_lock(&r->lock);
	while (r->got_n < n && pthread_cond_timedwait(&r->more, &r->lock, &end) == 0)
		;
	size_t got = r->got_n;
	pthread_mutex_unlock(&r->lock);
	return got;
}

const struct received *receiver_got(struct receiver *r, size_t i)
{
	return &r->got[i];
}

void receiver_free(struct receiver *r)
{
	if (write(r->stop[1], "x", 1) != 1)
		abort();
	pthread_join(r->thread, NULL);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (r->links[i].fd >= 0)
			drop(&r->links[i], false);
	for (size_t i = 0; i < r->got_n; i++)
		free(r->got[i].body);
	close(r->listener);
	close(r->stop[0]);
	close(r->stop[1]);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->more);
	free(r);
}
