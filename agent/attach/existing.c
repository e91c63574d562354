/*
 * One descriptor after another: what it is, its peer, and the options that bound waits. Then the sets of epoll descriptors. See existing.h.
 */
#include "attach/existing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "attach/connecting.h"
#include "attach/maps.h"
#include "attach/outstanding.h"
#include "attach/reading.h"
#include "core/elapsed.h"
#include "core/monotonic.h"

#define PORTS_MAX 64U
#define TICK_NS 10000000U /* the kernel tells how long ago in ticks of its own, of this length at most */

struct telling {
	pid_t pid;
	int pidfd;
	uint64_t now_ns, looked_ns; /* looked_ns: before the descriptor in hand was looked at */
	existing_fn fn;
	void *ctx;
	uint16_t listening[PORTS_MAX]; /* local ports: a connection with one of them was accepted */
	size_t listening_n;
	int told;
	int usual_syncnt; /* of a socket that was told no number; -1: not known */
};

static void tell(const struct telling *t, struct event e)
{
	e.t0 = e.t1 = t->now_ns;
	e.pid = e.tid = (uint32_t)t->pid;
	t->fn(t->ctx, &e);
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	struct sockaddr_in in = {0};

	/* The port lies at the same place in IPv6. */
	memcpy(&in, a, sizeof(in));
	return a->ss_family == AF_INET || a->ss_family == AF_INET6 ? ntohs(in.sin_port) : 0;
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static void option(const struct telling *t, int fd, int copy, int level, int name)
{
	struct event e = {.id = WIRE_SETSOCKOPT, .fd = fd, .a0 = (uint64_t)(uint32_t)level << 32 | (uint32_t)name};
	const bool is_time = level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
	struct timeval limit = {0};
	int value = 0;
	socklen_t len = is_time ? sizeof(limit) : sizeof(value);

	if (getsockopt(copy, level, name, is_time ? (void *)&limit : (void *)&value, &len) < 0)
		return;
	e.a1 = is_time ? (uint64_t)limit.tv_sec * 1000000000U + (uint64_t)limit.tv_usec * 1000U : (uint64_t)(uint32_t)value;
	tell(t, e);
}

static int syncnt_of(int fd)
{
	int n = -1;
	socklen_t len = sizeof(n);

	return getsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &n, &len) == 0 ? n : -1;
}

/* A socket that was told no number says the system's. */
static int usual_syncnt(void)
{
	const int fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int n = fresh < 0 ? -1 : syncnt_of(fresh);

	if (fresh >= 0)
		close(fresh);
	return n;
}

static bool is_libpq(void *ctx, const struct mapping *m)
{
	(void)ctx;
	return strncmp(maps_base(m->path), "libpq", strlen("libpq")) == 0;
}

/* Is there a library whose callers make a connection step by step (libpq's PQconnectPoll), so that what it sent first may be a part of that? */
static bool sets_up_in_steps(pid_t pid)
{
	return maps_walk(pid, is_libpq, NULL) > 0;
}

/*
 * The event's moment lies before the state was read: what the process did by then is in that state, and what it did since is told behind it. The
 * other way round, an answer that was read in between would be told before the question that it answers, which would look unanswered for ever.
 * What was asked since that moment was seen as it was asked.
 */
static void tell_outstanding(const struct telling *t, int fd, int copy)
{
	struct event e = {.id = WIRE_OUTSTANDING, .pid = (uint32_t)t->pid, .tid = (uint32_t)t->pid, .fd = fd, .t1 = t->looked_ns};
	const uint64_t now =
		monotonic_ns(); /* behind the look it would be late, if this thread was held up: so it is early at worst */
	uint64_t ago = 0;
	const enum outstanding state = outstanding(copy, &ago);

	/* Who has one thread and reads here has asked last: nobody else of it could. */
	if (state == OUTSTANDING_NOT || (state == OUTSTANDING_EITHER && !reading(t->pid, fd)))
		return;
	e.a0 = state == OUTSTANDING_FRESH                               ? WIRE_OUTSTANDING_FRESH
	       : state == OUTSTANDING_FIRST && sets_up_in_steps(t->pid) ? WIRE_OUTSTANDING_SET_UP
									: WIRE_OUTSTANDING_ASKED;
	e.t0 = elapsed_ns(ago, now);
	if (e.t0 > e.t1 + TICK_NS)
		return;
	if (e.t0 > e.t1)
		e.t0 = e.t1;
	t->fn(t->ctx, &e);
}

/* An attempt to connect that is under way, as if its beginning was seen now. One that was begun since the shim came was told as it began. */
static void tell_connecting(const struct telling *t, int fd, const struct sockaddr_storage *peer, socklen_t len, uint64_t age_ns)
{
	const struct event e = {.id = WIRE_CONNECTING,
				.flags = WIRE_F_BEFORE,
				.pid = (uint32_t)t->pid,
				.tid = (uint32_t)t->pid,
				.fd = fd,
				.data = (const uint8_t *)peer,
				.data_len = len,
				.t0 = elapsed_ns(age_ns, t->looked_ns),
				.t1 = t->looked_ns};

	t->fn(t->ctx, &e);
}

static void tell_socket(struct telling *t, int fd, int copy, const struct event *kind)
{
	struct sockaddr_storage peer = {0}, own = {0};
	socklen_t peer_len = sizeof(peer), own_len = sizeof(own);
	struct event e = *kind;
	int type = 0, domain = 0;
	socklen_t type_len = sizeof(type), domain_len = sizeof(domain);
	uint64_t role = 0, age_ns = 0;
	bool connects = false;

	if (getpeername(copy, (struct sockaddr *)&peer, &peer_len) < 0 || peer_len > sizeof(peer))
		connects = connecting(t->pid, copy, &peer, &peer_len, &age_ns);
	if (!peer.ss_family)
		peer_len = 0;
	if (getsockname(copy, (struct sockaddr *)&own, &own_len) < 0 || own_len > sizeof(own))
		own_len = 0;
	getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &type_len);
	getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len);
	if (is_listening(copy)) {
		role = WIRE_ROLE_LISTENER;
	} else if (type == SOCK_STREAM && peer_len && own_len && (own.ss_family == AF_INET || own.ss_family == AF_INET6)) {
		role = WIRE_ROLE_CLIENT;
		for (size_t i = 0; i < t->listening_n; i++)
			if (t->listening[i] == port_of(&own))
				role = WIRE_ROLE_SERVER;
	}
	e.a0 = WIRE_FD_SOCKET;
	e.a1 |= role << WIRE_ROLE_SHIFT | (uint64_t)(uint8_t)type << WIRE_TYPE_SHIFT |
		(uint64_t)(uint16_t)domain << WIRE_DOMAIN_SHIFT;
	e.data = peer_len ? (const uint8_t *)&peer : NULL;
	e.data_len = peer_len;
	tell(t, e);
	if (own_len)
		tell(t, (struct event){.id = WIRE_LOCAL_NAME, .fd = fd, .data = (const uint8_t *)&own, .data_len = own_len});
	option(t, fd, copy, SOL_SOCKET, SO_RCVTIMEO);
	option(t, fd, copy, SOL_SOCKET, SO_SNDTIMEO);
	if (type == SOCK_STREAM && role) {
		option(t, fd, copy, SOL_SOCKET, SO_KEEPALIVE);
		option(t, fd, copy, IPPROTO_TCP, TCP_USER_TIMEOUT);
		if (t->usual_syncnt >= 0 && syncnt_of(copy) != t->usual_syncnt)
			option(t, fd, copy, IPPROTO_TCP, TCP_SYNCNT);
	}
	if (connects)
		tell_connecting(t, fd, &peer, peer_len, age_ns);
	else if (role == WIRE_ROLE_CLIENT)
		tell_outstanding(t, fd, copy);
}

static void note_listener(struct telling *t, int fd, int copy)
{
	struct sockaddr_storage own = {0};
	socklen_t len = sizeof(own);

	(void)fd;
	if (is_listening(copy) && t->listening_n < PORTS_MAX && getsockname(copy, (struct sockaddr *)&own, &len) == 0 &&
	    port_of(&own))
		t->listening[t->listening_n++] = port_of(&own);
}

static void tell_one(struct telling *t, int fd, int copy)
{
	struct event e = {.id = WIRE_FD_KIND, .fd = fd, .a0 = WIRE_FD_OTHER};
	const int flags = fcntl(copy, F_GETFL);
	struct stat st;

	if (fstat(copy, &st) < 0)
		return;
	e.a1 = flags < 0 ? 0 : (uint64_t)(uint32_t)flags;
	t->told++;
	if (S_ISSOCK(st.st_mode)) {
		tell_socket(t, fd, copy, &e);
		return;
	}
	e.a0 = S_ISFIFO(st.st_mode)  ? WIRE_FD_PIPE
	       : S_ISREG(st.st_mode) ? WIRE_FD_FILE
	       : isatty(copy)        ? WIRE_FD_TTY
				     : WIRE_FD_OTHER;
	tell(t, e);
}

/* Call `look` with a copy of each descriptor from 3 on: of 0 to 2 the shim speaks itself. */
static int each_fd(struct telling *t, void (*look)(struct telling *t, int fd, int copy))
{
	char path[64];
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)t->pid);

	DIR *d = opendir(path);

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		const int fd = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		t->looked_ns = monotonic_ns();

		const int copy = fd > 2 ? (int)syscall(SYS_pidfd_getfd, t->pidfd, fd, 0) : -1;

		if (copy < 0)
			continue;
		look(t, fd, copy);
		close(copy);
	}
	closedir(d);
	return 0;
}

/* A timer that is set says so in its fdinfo. */
static void tell_timer(struct telling *t, int fd, int copy)
{
	char path[64], line[128];
	uint64_t s, ns, left = 0, period = 0;
	bool timer = false;

	(void)copy;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)t->pid, fd);

	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "it_value: (%" SCNu64 ", %" SCNu64 ")", &s, &ns) == 2) {
			left = s * 1000000000U + ns;
			timer = true;
		}
		if (sscanf(line, "it_interval: (%" SCNu64 ", %" SCNu64 ")", &s, &ns) == 2)
			period = s * 1000000000U + ns;
	}
	if (f)
		fclose(f);
	if (!timer)
		return;
	tell(t, (struct event){.id = WIRE_TIMERFD_CREATE, .fd = -1, .ret = fd});
	tell(t, (struct event){.id = WIRE_TIMERFD_SETTIME, .fd = fd, .a0 = period, .a1 = left});
}

/* The members of an epoll set are lines of its fdinfo. */
static void tell_epoll(struct telling *t, int fd, int copy)
{
	char path[64], line[256];
	bool first = true;

	(void)copy;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)t->pid, fd);

	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		int member;
		uint32_t events;
		uint64_t data;
		struct event e = {.id = WIRE_EPOLL_CTL, .fd = fd};

		if (sscanf(line, "tfd: %d events: %" SCNx32 " data: %" SCNx64, &member, &events, &data) != 3)
			continue;
		if (first)
			tell(t, (struct event){.id = WIRE_EPOLL_CREATE, .fd = -1, .ret = fd});
		first = false;
		e.a0 = (uint64_t)EPOLL_CTL_ADD << 32 | (uint32_t)member;
		e.a1 = data;
		e.data = (const uint8_t *)&events;
		e.data_len = sizeof(events);
		tell(t, e);
	}
	if (f)
		fclose(f);
}

int existing_tell(pid_t pid, uint64_t now_ns, existing_fn fn, void *ctx)
{
	struct telling t = {.pid = pid, .now_ns = now_ns, .fn = fn, .ctx = ctx, .usual_syncnt = usual_syncnt()};
	int e;

	t.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (t.pidfd < 0)
		return -errno;
	e = each_fd(&t, note_listener);
	if (e == 0)
		e = each_fd(&t, tell_one);
	if (e == 0)
		e = each_fd(&t, tell_timer);
	if (e == 0)
		e = each_fd(&t, tell_epoll);
	close(t.pidfd);
	return e < 0 ? e : t.told;
}
