/*
 * The relay's process: its sockets, its loop, and when a fault is over (relay.h). What happens to bytes is in pair.c.
 *
 * Three ports, of which the shim connects to one (wire/fault.h): at the first connections are accepted; nobody listens at the second; the
 * third is a listener whose queue we fill ourselves, so that the kernel leaves further attempts unanswered.
 */
#include "prove/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "core/monotonic.h"
#include "prove/knock.h"

#define TICK_MS 20  /* while a fault is on */
#define REST_MS 100 /* while there is none, but may be one soon */
#define EVENTS_MAX 64
#define FILLERS 4               /* connections of our own that fill the silent port's queue */
#define LINGER_NS 2000000000ULL /* the agent is gone: until its last lease has run out for sure */
#define START_MS 2000
#define BEAT_NS 10000000000ULL
#define LET_IN_NS 3000000000ULL /* who knocked tries again 1 s and 3 s after the first time */

struct place {
	struct pair_env env;
	int listener, refuse, silent;
	int fillers[FILLERS];
	struct knocks knocks;
	bool filled, knocked, orphan;
	uint64_t orphan_ns, let_in_ns; /* let_in_ns: since when who knocked is let in */
};

/* -- sockets -- */

/* On any address of loopback, and from nowhere else. */
static int open_port(int backlog, uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0 || bind(fd, (struct sockaddr *)(void *)&a, sizeof(a)) != 0 ||
	    getsockname(fd, (struct sockaddr *)(void *)&a, &len) != 0 || (backlog >= 0 && listen(fd, backlog) != 0)) {
		const int e = -errno;

		close(fd);
		return e;
	}
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int call_own(uint16_t port)
{
	const struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(WIRE_FAULT_NET + WIRE_FAULT_PEERS + 1)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The row that a connection was made for; WIRE_FAULT_PEERS if it is not from the service. */
static uint32_t row_of(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)(void *)&a, &len) != 0)
		return WIRE_FAULT_PEERS;
	const uint32_t row = ntohl(a.sin_addr.s_addr) - WIRE_FAULT_NET - 1;

	return row < WIRE_FAULT_PEERS ? row : WIRE_FAULT_PEERS;
}

/* Does a fault go on now? */
static bool goes_on(struct place *r)
{
	struct wire_fault *f = r->env.fault;
	const uint32_t way = atomic_load_explicit(&f->way, memory_order_acquire);

	r->env.now_ns = monotonic_ns();

	/* The agent may be busy for a while, with symbols or with loading probes, on a machine that has other work; but not for ever. That it is gone
	 * is known otherwise, at once. */
	const bool beats = r->env.now_ns < atomic_load(&f->beat_ns) + BEAT_NS;
	const bool on = !r->orphan && way != WIRE_FAULT_NONE && (beats || r->env.now_ns < atomic_load(&f->until_ns));

	if (on && beats)
		atomic_store(&f->until_ns, r->env.now_ns + WIRE_FAULT_LEASE_NS);
	return on;
}

static void accept_all(struct place *r, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		const uint32_t row = row_of(fd);

		/* It may have begun since we looked: then this connection was led here by it. */
		r->env.on = goes_on(r);
		if (row < WIRE_FAULT_PEERS && atomic_load(&r->env.fault->peers[row].state) == WIRE_FAULT_PEER_READY)
			pair_new(&r->env, fd, row);
		else
			close(fd);
	}
}

/* Nobody who knocks at the silent port is answered, or everybody who waits there is let in. */
static void set_silent(struct place *r, bool silent)
{
	if (silent == r->filled)
		return;
	r->filled = silent;
	for (unsigned int i = 0; i < FILLERS; i++) {
		if (silent)
			r->fillers[i] = call_own(r->env.fault->silent_port);
		else if (r->fillers[i] >= 0)
			close(r->fillers[i]);
	}
	atomic_store(&r->env.fault->silent, silent);
}

/* It is silent beforehand, so that no fault begins with a connection that gets in. */
static void tend_silent(struct place *r, bool fault)
{
	if (fault && r->filled) {
		knocks_look(&r->knocks, &r->env);
		r->knocked = true;
		return;
	}
	if (r->knocked) {
		knocks_end(&r->knocks, &r->env);
		r->knocked = false;
		r->let_in_ns = r->env.now_ns;
		set_silent(r, false);
	}
	if (!r->filled)
		accept_all(r, r->silent);
	if (!r->filled && !r->orphan && r->env.now_ns - r->let_in_ns >= LET_IN_NS)
		set_silent(r, true);
}

/* -- the loop -- */

static void look(struct place *r)
{
	struct wire_fault *f = r->env.fault;
	struct pair *p;
	char byte;

	r->env.now_ns = monotonic_ns();
	if (!r->orphan) {
		const ssize_t n = recv(r->env.control, &byte, 1, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			r->orphan = true;
			r->orphan_ns = r->env.now_ns;
			atomic_store(&f->way, WIRE_FAULT_NONE);
		}
	}

	r->env.on = goes_on(r);
	tend_silent(r, r->env.on && atomic_load(&f->way) == WIRE_FAULT_SILENT);
	if (r->orphan && !r->knocked && r->filled)
		set_silent(r, false);
	DL_FOREACH (r->env.pairs, p)
		pair_tick(&r->env, p);
	pairs_sweep(&r->env);
}

static void serve(struct place *r)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		const bool rests = r->orphan && r->env.now_ns - r->orphan_ns > LINGER_NS;

		if (rests && r->env.pairs_n == 0)
			return;
		const int n = epoll_wait(r->env.epoll, events, EVENTS_MAX, rests ? -1 : r->env.on ? TICK_MS : REST_MS);

		look(r);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == r)
				accept_all(r, r->listener);
			else if (events[i].data.ptr)
				pair_ready(&r->env, events[i].data.ptr, events[i].events);
		}
		pairs_sweep(&r->env);
	}
}

/* Nothing of the agent's stays open: who waits for its output to end must not wait for us. */
static int leave_agent(int control)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct rlimit files;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "gapscope-relay");
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || dup2(control, 3) < 0 || chdir("/") != 0)
		return -errno;
	(void)syscall(SYS_close_range, 4U, ~0U, 0U);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

static int enter_network(pid_t pid)
{
	char path[64];
	int fd, e = 0;

	if (pid == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		e = -errno;
	if (fd >= 0)
		close(fd);
	return e;
}

/* Is there a loopback device that carries what we need? */
static int try_loopback(const struct place *r)
{
	const int fd = call_own(r->env.fault->relay_port);
	struct epoll_event ev;

	if (fd < 0)
		return -ENETUNREACH;
	const int n = epoll_wait(r->env.epoll, &ev, 1, START_MS);

	close(fd);
	return n == 1 ? 0 : -ENETUNREACH;
}

static int open_all(struct place *r)
{
	struct wire_fault *f = r->env.fault;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = r};
	struct stat network;

	if (stat("/proc/thread-self/ns/net", &network) != 0)
		return -errno;
	f->network = network.st_ino;
	r->env.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->env.epoll < 0)
		return -errno;
	if ((r->listener = open_port(SOMAXCONN, &f->relay_port)) < 0)
		return r->listener;
	if ((r->refuse = open_port(-1, &f->refuse_port)) < 0)
		return r->refuse;
	if ((r->silent = open_port(0, &f->silent_port)) < 0)
		return r->silent;
	if (epoll_ctl(r->env.epoll, EPOLL_CTL_ADD, r->listener, &ev) != 0)
		return -errno;
	ev.data.ptr = NULL; /* the end of the agent wakes us, too */
	ev.events = EPOLLRDHUP | EPOLLONESHOT;
	if (epoll_ctl(r->env.epoll, EPOLL_CTL_ADD, r->env.control, &ev) != 0)
		return -errno;
	set_silent(r, true);
	return try_loopback(r);
}

static void live(struct wire_fault *f, int control, pid_t pid, uint64_t hold_ns)
{
	struct place r = {.env = {.fault = f, .control = 3, .hold_ns = hold_ns}};
	struct relay_said ready = {.row = (uint32_t)getpid()};
	int to = control;
	int e = enter_network(pid);

	if (e == 0 && (e = leave_agent(control)) == 0) {
		to = r.env.control;
		e = open_all(&r);
	}
	ready.what = (uint32_t)-e;
	(void)send(to, &ready, sizeof(ready), MSG_NOSIGNAL);
	if (e == 0)
		serve(&r);
	_exit(0);
}

/* -- the agent's side -- */

int relay_start(struct relay *r, struct wire_fault *f, pid_t pid, uint64_t hold_ns, char *err, size_t err_size)
{
	struct relay_said ready;
	int pair[2];
	pid_t starter;
	int e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	/* Nobody's child, so that nobody has to wait for it. */
	starter = fork();
	if (starter == 0) {
		close(pair[0]);
		if (fork() == 0)
			live(f, pair[1], pid, hold_ns);
		_exit(0);
	}
	e = starter < 0 ? -errno : 0;
	close(pair[1]);
	while (starter > 0 && waitpid(starter, NULL, 0) < 0 && errno == EINTR)
		;
	if (e == 0)
		e = recv(pair[0], &ready, sizeof(ready), 0) == (ssize_t)sizeof(ready) ? -(int)ready.what : -EPIPE;
	if (e < 0) {
		close(pair[0]);
		f->relay_port = f->refuse_port = f->silent_port = 0;
		*r = (struct relay){.control = -1};
		snprintf(err, err_size, "cannot stand between the service and its peers: %s",
			 e == -ENETUNREACH ? "its network namespace has no loopback" : strerror(-e));
		return e;
	}
	*r = (struct relay){.pid = (pid_t)ready.row, .control = pair[0]};
	return 0;
}

bool relay_next(struct relay *r, struct relay_said *ret)
{
	if (r->control < 0)
		return false;
	const ssize_t n = recv(r->control, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(r->control);
		r->control = -1;
	}
	return n == (ssize_t)sizeof(*ret);
}

void relay_leave(struct relay *r)
{
	if (r->control >= 0)
		close(r->control);
	*r = (struct relay){.control = -1};
}
