/*
 * What the agent does for a request, from the records in the rings to metrics, detectors and spans: processor time of its thread a
 * request, of services as records show them.
 *
 *   bench_agent [ROUNDS [SERVICE]]
 *
 * Instructions are the same on any machine, however busy it is:
 *   valgrind --tool=callgrind --collect-atstart=no --toggle-collect=ingest_poll bench_agent 2 redis
 * Asserted is a ratio within one run: a batch of requests that comes in one read costs less a request than requests that come alone.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "ingest/producer.h"
#include "report/session.h"

#define BURST 512U /* requests between two polls */
#define BURSTS 32U
#define CONNS 32
#define LISTENER 6
#define EPOLL 7
#define FIRST_CONN 10
#define LOG_FD 5
#define RATIO_MAX 1.0 /* of pipelined to single requests */

static const uint64_t step_ticks = 2000, behind_ticks = 20000000;

/* One service: what it publishes for its i-th request, or batch of them. */
struct service {
	const char *name;
	unsigned int batch; /* requests that come in one read */
	void (*request)(struct producer *p, unsigned int i);
	double best;
};

static uint64_t now_ticks;

static void put(struct producer *p, struct wire_record r, const void *data, size_t len)
{
	r.t0 = now_ticks += step_ticks;
	r.t1 = now_ticks += step_ticks;
	r.data_len = (uint32_t)(len < 256 ? len : 256);
	r.site = 1U + r.event;
	if (!producer_put(p, &r, data, NULL, NULL))
		abort();
}

static void wait_for(struct producer *p, int fd)
{
	const struct wire_epoll ready = {.data = (uint64_t)fd, .events = EPOLLIN};

	put(p, (struct wire_record){.event = WIRE_EPOLL_WAIT, .fd = EPOLL, .ret = 1, .a1 = 100000000}, &ready, sizeof(ready));
}

static void moved(struct producer *p, uint16_t event, int fd, uint16_t flags, const char *text)
{
	const size_t len = strlen(text);

	put(p, (struct wire_record){.event = event, .fd = fd, .ret = (int64_t)len, .a0 = 16384, .flags = flags}, text, len);
}

static int conn_of(unsigned int i)
{
	return FIRST_CONN + (int)(i % CONNS);
}

static void redis(struct producer *p, unsigned int i)
{
	wait_for(p, conn_of(i));
	moved(p, WIRE_READ, conn_of(i), 0, "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\nxxx\r\n");
	moved(p, WIRE_WRITE, conn_of(i), 0, "+OK\r\n");
}

static void redis_batch(struct producer *p, unsigned int i)
{
	char asked[256] = "", answered[64] = "";

	for (int k = 0; k < 8; k++) {
		strcat(asked, "*2\r\n$3\r\nGET\r\n$6\r\nkey:12\r\n");
		strcat(answered, "$-1\r\n");
	}
	wait_for(p, conn_of(i));
	moved(p, WIRE_READ, conn_of(i), 0, asked);
	moved(p, WIRE_WRITE, conn_of(i), 0, answered);
}

static void nginx(struct producer *p, unsigned int i)
{
	wait_for(p, conn_of(i));
	moved(p, WIRE_READ, conn_of(i), WIRE_F_SOCKET_CALL, "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
	moved(p, WIRE_WRITE, conn_of(i), WIRE_F_VECTOR,
	      "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 20:00:00 GMT\r\nContent-Type: text/html\r\n"
	      "Content-Length: 3\r\nLast-Modified: Sat, 21 Nov 2026 19:00:00 GMT\r\nConnection: keep-alive\r\n"
	      "ETag: \"6560a1b2-3\"\r\n\r\nok\n");
	moved(p, WIRE_WRITE, LOG_FD, WIRE_F_SINK,
	      "127.0.0.1 - - [21/Nov/2026:20:00:00 +0000] \"GET /index.html HTTP/1.1\" 200 3 \"-\" \"-\"\n");
}

/* A client of an HTTP service, one connection a thread, blocking. */
static void http_client(struct producer *p, unsigned int i)
{
	char asked[128];

	snprintf(asked, sizeof(asked), "GET /orders/%u HTTP/1.1\r\nHost: payments\r\n\r\n", i % 500);
	moved(p, WIRE_WRITE, conn_of(i), WIRE_F_SOCKET_CALL, asked);
	moved(p, WIRE_READ, conn_of(i), WIRE_F_SOCKET_CALL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void connections(struct producer *p, bool client)
{
	const uint64_t stream = (uint64_t)AF_INET << 32 | SOCK_STREAM;
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	put(p, (struct wire_record){.event = WIRE_PROCESS_START, .fd = -1, .a0 = 1}, "/usr/bin/service", 16);
	put(p, (struct wire_record){.event = WIRE_OPEN, .fd = -1, .ret = LOG_FD, .a0 = 02001}, "/var/log/access.log", 19);
	put(p, (struct wire_record){.event = WIRE_SOCKET, .fd = LISTENER, .a0 = stream}, NULL, 0);
	put(p, (struct wire_record){.event = WIRE_LISTEN, .fd = LISTENER, .a0 = 511}, NULL, 0);
	put(p, (struct wire_record){.event = WIRE_EPOLL_CREATE, .fd = -1, .ret = EPOLL}, NULL, 0);
	for (int fd = FIRST_CONN; fd < FIRST_CONN + CONNS; fd++) {
		const uint32_t events = EPOLLIN;

		if (client) {
			put(p, (struct wire_record){.event = WIRE_SOCKET, .fd = fd, .a0 = stream}, NULL, 0);
			put(p, (struct wire_record){.event = WIRE_CONNECT, .fd = fd}, &peer, sizeof(peer));
			continue;
		}
		put(p, (struct wire_record){.event = WIRE_ACCEPT, .fd = LISTENER, .ret = fd, .a0 = SOCK_NONBLOCK}, &peer,
		    sizeof(peer));
		put(p,
		    (struct wire_record){.event = WIRE_EPOLL_CTL, .fd = EPOLL, .a0 = 1ULL << 32 | (uint32_t)fd, .a1 = (uint64_t)fd},
		    &events, sizeof(events));
	}
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void on_event(void *ctx, const struct event *e)
{
	session_event(ctx, e);
}

/* ns a request; nobody wants spans. */
static double measure(const struct service *service)
{
	const struct ingest_options options = {.process_max = 8, .thread_max = 16, .stacks = true};
	const struct session_options wanted = {.service = "service", .seed = 1};
	struct counters counters = {0};
	struct stacks *stacks = stacks_new();
	struct ingest *in = NULL;
	double took = 0;

	assert_int_equal(ingest_new(&options, stacks, &counters, &in), 0);
	struct session *s = session_new(&wanted, stacks, &counters);
	assert_non_null(s);
	struct producer p = producer_open(ingest_shared(in), 0, 0, own_pid(), own_tid());
	now_ticks = producer_ticks(p.shared) - 2 * behind_ticks;
	connections(&p, service->request == http_client);
	for (unsigned int burst = 0; burst <= BURSTS; burst++) {
		/* Behind the window, so that all of it is handed on, and no further: where instructions are counted, time runs away. */
		const uint64_t back = BURST * 8 * step_ticks + behind_ticks;
		while (producer_ticks(p.shared) < now_ticks + back)
			;
		now_ticks = producer_ticks(p.shared) - back;
		for (unsigned int i = 0; i < BURST / service->batch; i++)
			service->request(&p, i);
		const double before = cpu_ns();
		ingest_poll(in, false, on_event, s, NULL);
		took += burst > 0 ? cpu_ns() - before : 0; /* the first one learns */
	}
	session_finish(s, ingest_now_ns(in));
	json_t *report = session_report(s);
	const json_t *about = json_object_get(report, "service");
	const json_int_t seen = json_integer_value(json_object_get(about, "client_requests")) +
				json_integer_value(json_object_get(about, "server_requests"));
	assert_int_equal(seen, (BURSTS + 1) * BURST);
	json_decref(report);
	producer_close(&p);
	session_free(s);
	ingest_free(in);
	stacks_free(stacks);
	return took / (BURSTS * BURST);
}

int main(int argc, char **argv)
{
	struct service services[] = {{"redis", 1, redis, INFINITY},
				     {"redis, 8 a read", 8, redis_batch, INFINITY},
				     {"nginx", 1, nginx, INFINITY},
				     {"http client", 1, http_client, INFINITY}};
	const size_t n = sizeof(services) / sizeof(services[0]);
	const int rounds = argc > 1 ? atoi(argv[1]) : 7;

	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			if (argc < 3 || strcmp(argv[2], services[i].name) == 0)
				services[i].best = fmin(services[i].best, measure(&services[i]));
		}
	}
	for (size_t i = 0; i < n; i++)
		printf("%-16s %7.0f ns a request\n", services[i].name, services[i].best);
	return argc > 2 || services[1].best <= RATIO_MAX * services[0].best ? 0 : 1;
}
