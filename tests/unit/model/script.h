/*
 * A script of events for tests: says what a watched program did, call by call, on a virtual clock, and feeds it to a model (or to
 * whatever `feed` is). Header-only, so that any layer's test can use it: #include "model/script.h".
 *
 *   struct script s;
 *   script_init(&s);                       // a model of its own; process 100 acts
 *   model_observe(s.model, &observer, ctx);
 *   script_socket(&s, 5);
 *   script_connect(&s, 5, "10.0.0.9", 443, 0);
 *   script_write(&s, 5, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
 *   script_took(&s, 3 * SCRIPT_SEC);       // the next call takes 3 s
 *   script_read(&s, 5, "HTTP/1.1 204 No Content\r\n\r\n");
 *   script_close(&s, 5);
 *   script_finish(&s);
 *   script_done(&s);
 *
 * Each call takes 1 µs unless script_took was called before it; script_pass lets time go by between calls.
 */
#ifndef GAPSCOPE_TESTS_UNIT_MODEL_SCRIPT_H
#define GAPSCOPE_TESTS_UNIT_MODEL_SCRIPT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include "model/model.h"

#define SCRIPT_USEC UINT64_C(1000)
#define SCRIPT_MSEC UINT64_C(1000000)
#define SCRIPT_SEC UINT64_C(1000000000)
#define SCRIPT_EPOCH (UINT64_C(1700000000) * SCRIPT_SEC)
#define SCRIPT_API static __attribute__((unused))

struct script {
	struct model *model; /* made by script_init; NULL with script_init_feed */
	struct stacks *stacks;
	struct counters counters;
	void (*feed)(void *ctx, const struct event *e);
	void *ctx;
	uint64_t now;        /* virtual time, ns */
	uint64_t took;       /* of the next call, ns */
	uint32_t pid;        /* who acts; change freely */
	uint32_t tid;        /* 0 = the same as pid */
	uint32_t stack;      /* of the next calls */
	uint64_t match_slot; /* of script_match */
};

SCRIPT_API void script_feed_model(void *ctx, const struct event *e)
{
	model_event(ctx, e);
}

/* Any event: times, pid, tid and stack are filled in where they are 0. */
SCRIPT_API void script_event(struct script *s, struct event e)
{
	if (e.t1 == 0) {
		e.t0 = e.t0 ? e.t0 : s->now;
		e.t1 = s->now + s->took;
	}
	if (e.t1 > s->now)
		s->now = e.t1;
	s->took = SCRIPT_USEC;
	e.pid = e.pid ? e.pid : s->pid;
	e.tid = e.tid ? e.tid : (s->tid ? s->tid : e.pid);
	e.stack = e.stack ? e.stack : s->stack;
	s->feed(s->ctx, &e);
}

SCRIPT_API void script_took(struct script *s, uint64_t ns)
{
	s->took = ns;
}

SCRIPT_API void script_pass(struct script *s, uint64_t ns)
{
	s->now += ns;
}

/* -- processes -- */

SCRIPT_API void script_start(struct script *s, uint32_t pid, uint32_t parent, const char *exe)
{
	script_event(s, (struct event){.id = WIRE_PROCESS_START,
				       .pid = pid,
				       .fd = -1,
				       .a0 = parent,
				       .data = (const uint8_t *)exe,
				       .data_len = (uint32_t)strlen(exe)});
}

/* The acting process forks `child`; it stays the acting one. */
SCRIPT_API void script_fork(struct script *s, uint32_t child)
{
	script_event(s, (struct event){.id = WIRE_FORK_CHILD, .pid = child, .fd = -1, .a0 = s->pid});
	script_event(s, (struct event){.id = WIRE_FORK, .fd = -1, .ret = child});
}

SCRIPT_API void script_exit(struct script *s, uint32_t pid)
{
	script_event(s, (struct event){.id = WIRE_PROCESS_EXIT, .pid = pid, .fd = -1});
	script_event(s, (struct event){.id = WIRE_PROCESS_GONE, .pid = pid, .fd = -1});
}

/* -- life of descriptors -- */

SCRIPT_API void script_socket_of(struct script *s, int fd, int domain, int type)
{
	script_event(s, (struct event){.id = WIRE_SOCKET, .fd = fd, .ret = fd, .a0 = (uint64_t)domain << 32 | (uint32_t)type});
}

/* A blocking TCP socket. */
SCRIPT_API void script_socket(struct script *s, int fd)
{
	script_socket_of(s, fd, AF_INET, SOCK_STREAM);
}

SCRIPT_API struct sockaddr_in script_address(const char *addr, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		abort();
	return sin;
}

/* connect(): err 0 = success, EINPROGRESS = under way, else it failed so. */
SCRIPT_API void script_connect(struct script *s, int fd, const char *addr, uint16_t port, int err)
{
	struct sockaddr_in sin = script_address(addr, port);

	script_event(s, (struct event){.id = WIRE_CONNECT,
				       .fd = fd,
				       .ret = err ? -1 : 0,
				       .err = (uint16_t)err,
				       .a1 = err == EINPROGRESS,
				       .data = (const uint8_t *)&sin,
				       .data_len = sizeof(sin)});
}

SCRIPT_API void script_connect_unix(struct script *s, int fd, const char *path, int err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	script_event(s, (struct event){.id = WIRE_CONNECT,
				       .fd = fd,
				       .ret = err ? -1 : 0,
				       .err = (uint16_t)err,
				       .data = (const uint8_t *)&sun,
				       .data_len = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1)});
}

/* socket, bind and listen. */
SCRIPT_API void script_listen(struct script *s, int fd, uint16_t port)
{
	struct sockaddr_in sin = script_address("0.0.0.0", port);

	script_socket(s, fd);
	script_event(s, (struct event){.id = WIRE_BIND, .fd = fd, .data = (const uint8_t *)&sin, .data_len = sizeof(sin)});
	script_event(s, (struct event){.id = WIRE_LISTEN, .fd = fd, .a0 = 128});
}

SCRIPT_API void script_accept(struct script *s, int listener, int fd, const char *addr, uint16_t port)
{
	struct sockaddr_in sin = script_address(addr, port);

	script_event(s,
		     (struct event){
			     .id = WIRE_ACCEPT, .fd = listener, .ret = fd, .data = (const uint8_t *)&sin, .data_len = sizeof(sin)});
}

SCRIPT_API void script_close(struct script *s, int fd)
{
	script_event(s, (struct event){.id = WIRE_CLOSE, .fd = fd});
}

SCRIPT_API void script_shutdown(struct script *s, int fd, int how)
{
	script_event(s, (struct event){.id = WIRE_SHUTDOWN, .fd = fd, .a0 = (uint64_t)how});
}

SCRIPT_API void script_dup(struct script *s, int fd, int to, int flags)
{
	script_event(s, (struct event){.id = WIRE_DUP, .fd = fd, .ret = to, .a0 = (uint64_t)flags});
}

SCRIPT_API void script_nonblock(struct script *s, int fd, bool on)
{
	script_event(s, (struct event){.id = WIRE_SETFL, .fd = fd, .a0 = on ? O_NONBLOCK : 0});
}

SCRIPT_API void script_setsockopt(struct script *s, int fd, int level, int name, uint64_t value)
{
	script_event(s, (struct event){.id = WIRE_SETSOCKOPT, .fd = fd, .a0 = (uint64_t)level << 32 | (uint32_t)name, .a1 = value});
}

SCRIPT_API void script_rcvtimeo(struct script *s, int fd, uint64_t ns)
{
	script_setsockopt(s, fd, SOL_SOCKET, SO_RCVTIMEO, ns);
}

SCRIPT_API void script_sndtimeo(struct script *s, int fd, uint64_t ns)
{
	script_setsockopt(s, fd, SOL_SOCKET, SO_SNDTIMEO, ns);
}

/* getsockopt(SO_ERROR) gave `err`. */
SCRIPT_API void script_so_error(struct script *s, int fd, int err)
{
	script_event(s, (struct event){
				.id = WIRE_GETSOCKOPT, .fd = fd, .a0 = (uint64_t)SOL_SOCKET << 32 | SO_ERROR, .a1 = (uint64_t)err});
}

SCRIPT_API void script_open(struct script *s, int fd, const char *path, int flags)
{
	script_event(s, (struct event){.id = WIRE_OPEN,
				       .fd = -1,
				       .ret = fd,
				       .a0 = (uint64_t)flags,
				       .data = (const uint8_t *)path,
				       .data_len = (uint32_t)strlen(path)});
}

/* -- data: `total` bytes moved, `captured` of them seen; err != 0: it failed and nothing moved -- */

SCRIPT_API void script_data(struct script *s, uint16_t id, int fd, const void *bytes, size_t captured, size_t total, int err)
{
	script_event(s, (struct event){.id = id,
				       .fd = fd,
				       .flags = WIRE_F_SOCKET_CALL,
				       .ret = err ? -1 : (int64_t)total,
				       .err = (uint16_t)err,
				       .a0 = total ? total : 4096,
				       .data = captured ? bytes : NULL,
				       .data_len = (uint32_t)captured});
}

SCRIPT_API void script_write(struct script *s, int fd, const char *text)
{
	script_data(s, WIRE_WRITE, fd, text, strlen(text), strlen(text), 0);
}

SCRIPT_API void script_read(struct script *s, int fd, const char *text)
{
	script_data(s, WIRE_READ, fd, text, strlen(text), strlen(text), 0);
}

SCRIPT_API void script_write_err(struct script *s, int fd, int err)
{
	script_data(s, WIRE_WRITE, fd, NULL, 0, 0, err);
}

SCRIPT_API void script_read_err(struct script *s, int fd, int err)
{
	script_data(s, WIRE_READ, fd, NULL, 0, 0, err);
}

SCRIPT_API void script_read_eof(struct script *s, int fd)
{
	script_data(s, WIRE_READ, fd, NULL, 0, 0, 0);
}

/* -- waits: the limit is WAIT_INFINITE or ns; a wait that timed out takes its limit unless script_took said otherwise -- */

SCRIPT_API void script_poll_set(struct script *s, const struct wire_pollfd *set, size_t n, int64_t limit, int err)
{
	int64_t ready = 0;

	for (size_t i = 0; i < n; i++)
		ready += set[i].revents != 0;
	if (ready == 0 && err == 0 && limit > 0 && s->took == SCRIPT_USEC)
		s->took = (uint64_t)limit;
	script_event(s, (struct event){.id = WIRE_POLL,
				       .fd = n == 1 ? set[0].fd : -1,
				       .ret = err ? -1 : ready,
				       .err = (uint16_t)err,
				       .a0 = n,
				       .a1 = (uint64_t)limit,
				       .data = (const uint8_t *)set,
				       .data_len = (uint32_t)(n * sizeof(*set))});
}

SCRIPT_API void script_poll(struct script *s, int fd, int events, int revents, int64_t limit)
{
	script_poll_set(s, &(struct wire_pollfd){.fd = fd, .events = (uint16_t)events, .revents = (uint16_t)revents}, 1, limit, 0);
}

SCRIPT_API void script_epoll_create(struct script *s, int epfd)
{
	script_event(s, (struct event){.id = WIRE_EPOLL_CREATE, .fd = -1, .ret = epfd});
}

/* The user data is the descriptor. */
SCRIPT_API void script_epoll_ctl(struct script *s, int epfd, int op, int fd, uint32_t events)
{
	script_event(s, (struct event){.id = WIRE_EPOLL_CTL,
				       .fd = epfd,
				       .a0 = (uint64_t)op << 32 | (uint32_t)fd,
				       .a1 = (uint64_t)fd,
				       .data = (const uint8_t *)&events,
				       .data_len = sizeof(events)});
}

/* One descriptor is ready, or none (fd -1). */
SCRIPT_API void script_epoll_wait(struct script *s, int epfd, int64_t limit, int fd, uint32_t events)
{
	struct wire_epoll ready = {.data = (uint64_t)fd, .events = events};

	if (fd < 0 && limit > 0 && s->took == SCRIPT_USEC)
		s->took = (uint64_t)limit;
	script_event(s, (struct event){.id = WIRE_EPOLL_WAIT,
				       .fd = epfd,
				       .ret = fd >= 0,
				       .a1 = (uint64_t)limit,
				       .data = fd >= 0 ? (const uint8_t *)&ready : NULL,
				       .data_len = fd >= 0 ? sizeof(ready) : 0});
}

SCRIPT_API void script_sleep(struct script *s, uint64_t ns)
{
	s->took = ns;
	script_event(s, (struct event){.id = WIRE_SLEEP, .fd = -1, .a1 = ns});
}

/* A second (or more) has passed: script_pass first. */
SCRIPT_API void script_tick(struct script *s)
{
	script_event(s, (struct event){.id = WIRE_TICK, .fd = -1, .t0 = s->now, .t1 = s->now});
}

/* The acting thread is still inside call `id` on fd, since `since` (a virtual time). */
SCRIPT_API void script_inflight(struct script *s, uint16_t id, int fd, int64_t limit, uint64_t since)
{
	script_event(s, (struct event){.id = WIRE_INFLIGHT, .fd = fd, .t0 = since, .t1 = s->now, .a0 = id, .a1 = (uint64_t)limit});
}

/* -- names -- */

/* getaddrinfo(name) gave one IPv4 address, or failed with `code` (addr NULL). */
SCRIPT_API void script_resolve(struct script *s, const char *name, const char *addr, int code)
{
	uint8_t data[sizeof(struct wire_resolve) + 300] = {0};
	struct wire_resolve head = {.name_len = (uint16_t)strlen(name), .addresses = addr ? 1 : 0};
	size_t len = sizeof(head);

	memcpy(data, &head, sizeof(head));
	memcpy(data + len, name, strlen(name));
	len += strlen(name);
	if (addr) {
		data[len + 10] = data[len + 11] = 0xff;
		if (inet_pton(AF_INET, addr, data + len + 12) != 1)
			abort();
		len += 16;
	}
	script_event(
		s,
		(struct event){
			.id = WIRE_RESOLVE, .fd = -1, .ret = code, .a0 = head.addresses, .data = data, .data_len = (uint32_t)len});
}

/* -- logs, as ingest hands them on -- */

SCRIPT_API void script_log(struct script *s, int fd, uint32_t lines, uint32_t bytes)
{
	struct event_sink sink = {.lines = lines, .scanned = bytes, .total = bytes};

	script_event(s, (struct event){.id = WIRE_WRITE,
				       .fd = fd,
				       .flags = WIRE_F_SINK,
				       .ret = bytes,
				       .a0 = bytes,
				       .data = (const uint8_t *)&sink,
				       .data_len = sizeof(sink)});
}

SCRIPT_API void script_syslog(struct script *s, uint32_t lines, uint32_t bytes)
{
	struct event_sink sink = {.lines = lines, .scanned = bytes, .total = bytes};

	script_event(s, (struct event){.id = WIRE_SYSLOG,
				       .fd = -1,
				       .flags = WIRE_F_SINK,
				       .a0 = 6,
				       .data = (const uint8_t *)&sink,
				       .data_len = sizeof(sink)});
}

/* The scanner found `entity` at that sink ("stdout", "file", "syslog" …). */
SCRIPT_API void script_match(struct script *s, int fd, const char *sink, const char *entity, const char *sample,
			     uint64_t fingerprint)
{
	struct event_match match = {.line = 1};

	snprintf(match.entity, sizeof(match.entity), "%s", entity);
	snprintf(match.sink, sizeof(match.sink), "%s", sink);
	snprintf(match.sample, sizeof(match.sample), "%s", sample);
	snprintf(match.level, sizeof(match.level), "INFO");
	script_event(s, (struct event){.id = WIRE_MATCH,
				       .fd = fd,
				       .t0 = s->now,
				       .t1 = s->now,
				       .a0 = fingerprint,
				       .a1 = s->match_slot,
				       .data = (const uint8_t *)&match,
				       .data_len = sizeof(match)});
}

/* -- begin and end -- */

/* Events go to `feed`, such as a session's; process 100 acts. */
SCRIPT_API void script_init_feed(struct script *s, void (*feed)(void *ctx, const struct event *e), void *ctx)
{
	*s = (struct script){.feed = feed, .ctx = ctx, .now = SCRIPT_EPOCH, .took = SCRIPT_USEC, .pid = 100};
}

/* Events go to a model of the script's own. Observers added afterwards see process 100 from its first event on. */
SCRIPT_API void script_init(struct script *s)
{
	script_init_feed(s, script_feed_model, NULL);
	s->stacks = stacks_new();
	s->model = model_new(s->stacks, &s->counters);
	if (!s->stacks || !s->model)
		abort();
	s->ctx = s->model;
}

SCRIPT_API void script_finish(struct script *s)
{
	model_finish(s->model, s->now);
}

SCRIPT_API void script_done(struct script *s)
{
	model_free(s->model);
	stacks_free(s->stacks);
	memset(s, 0, sizeof(*s));
}

#endif
