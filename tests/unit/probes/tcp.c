/*
 * tcp.c in the running kernel: connections of a child on loopback are counted by peer, those of others are not; nothing stays behind.
 * Where probes cannot be loaded, the reason must be said.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/tcp.h"
#include "test.h"

#define PATIENCE 3000 /* times 20 ms */

struct seen {
	uint16_t port; /* of the peer that is looked at, network order */
	struct sample_tcp client, server;
	struct sample_life life;
	size_t told;
};

static void see_peer(void *ctx, enum wire_role role, const struct sample_tcp *so_far)
{
	struct seen *s = ctx;
	struct sockaddr_in in;

	memcpy(&in, so_far->address, sizeof(in));
	s->told++;
	if (role == WIRE_ROLE_SERVER)
		s->server = *so_far;
	else if (in.sin_port == s->port && in.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		s->client = *so_far;
}

static void see_life(void *ctx, const struct sample_life *so_far)
{
	struct seen *s = ctx;

	s->life = *so_far;
}

static void read_all(struct tcp_probes *p, struct seen *s)
{
	const struct tcp_sink to = {.peer = see_peer, .life = see_life, .ctx = s};

	tcp_probes_read(p, &to);
}

static struct tcp_probes *open_probes(void)
{
	struct tcp_probes *p = NULL;
	char why[256] = "";

	if (tcp_probes_open(&p, why, sizeof(why)) == 0)
		return p;
	assert_null(p);
	assert_true(why[0] != '\0');
	print_message("no probes here: %s\n", why);
	/* A root's probes must load on the machines that this is tested on. */
	assert_true(geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0 || strstr(why, "CAP_BPF") != NULL);
	return NULL;
}

static int listener(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static int connected(const struct sockaddr_in *to)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)connect(fd, (const struct sockaddr *)to, sizeof(*to));
	return fd;
}

static void reset(int fd)
{
	const struct linger now = {.l_onoff = 1};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

/* Is watched. Told to go on, it connects as often as it is to. Its child does what it does. */
static pid_t client(const struct sockaddr_in *to, int go, unsigned int times)
{
	const pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(go, &byte, 1) != 1 || fork() > 0) {
		wait(NULL);
		_exit(0);
	}
	for (unsigned int i = 0; i < times; i++) {
		const int fd = connected(to);

		while (read(fd, &byte, 1) > 0) /* until the other side ends it */
			;
		close(fd);
	}
	_exit(0);
}

static void connections_by_peer(void **state)
{
	struct seen s = {0};
	struct sockaddr_in at;
	const int fd = listener(&at);
	struct tcp_probes *p = open_probes();
	int go[2];

	(void)state;
	if (p == NULL)
		skip();
	s.port = at.sin_port;
	assert_int_equal(pipe(go), 0);
	/* Refused: nobody listens yet. */
	pid_t pid = client(&at, go[0], 3);
	tcp_probes_watch(p, (uint32_t)pid);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	read_all(p, &s);
	assert_int_equal(s.client.connect_failed, 3);
	assert_int_equal(s.client.established, 0);
	assert_int_equal(s.life.forks, 1);
	assert_int_equal(s.life.exits, 2);
	/* Two end, one is reset, and what is not watched is not counted. */
	assert_int_equal(listen(fd, 8), 0);
	pid = client(&at, go[0], 3);
	tcp_probes_watch(p, (uint32_t)pid);
	assert_int_equal(write(go[1], "g", 1), 1);
	for (int i = 0; i < 3; i++) {
		const int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		assert_true(conn >= 0);
		if (i == 1)
			reset(conn);
		else
			close(conn);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(connected(&at));
	read_all(p, &s);
	print_message("established %llu, closed %llu, reset %llu, failed %llu\n", (unsigned long long)s.client.established,
		      (unsigned long long)s.client.closed, (unsigned long long)s.client.reset,
		      (unsigned long long)s.client.connect_failed);
	assert_int_equal(s.client.established, 3);
	assert_int_equal(s.client.reset, 1);
	assert_int_equal(s.client.closed, 2);
	assert_int_equal(s.client.connect_failed, 3);
	assert_int_equal(s.server.established, 0);
	assert_int_equal(s.life.lost_peers + s.life.lost_processes, 0);
	/* Nothing new is not told again. */
	s.told = 0;
	read_all(p, &s);
	assert_int_equal(s.told, 0);
	tcp_probes_free(p);
	close(fd);
}

static void what_was_there_before(void **state)
{
	struct seen s = {0};
	struct sockaddr_in at;
	const int fd = listener(&at);
	struct tcp_probes *p = open_probes();
	struct stat net;
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	(void)state;
	if (p == NULL)
		skip();
	assert_int_equal(listen(fd, 8), 0);

	const int first = connected(&at), first_there = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	assert_int_equal(getsockopt(first, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	assert_int_equal(stat("/proc/self/ns/net", &net), 0);
	s.port = at.sin_port;
	tcp_probes_socket(p, cookie, WIRE_ROLE_CLIENT);
	tcp_probes_listener(p, (uint32_t)net.st_ino, ntohs(at.sin_port));

	const int second = connected(&at), second_there = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	reset(first_there);
	read_all(p, &s);
	assert_int_equal(s.client.reset, 1);       /* of the first, which was named */
	assert_int_equal(s.client.established, 0); /* of the second nobody said that its process is watched */
	assert_int_equal(s.server.established, 1); /* but its other end came to the port */
	close(second);
	close(second_there);
	close(first);
	tcp_probes_free(p);
	close(fd);
}

/* A listener whose queue is full answers nobody: the kernel asks again after a second. */
static void attempts_that_are_repeated(void **state)
{
	struct seen s = {0};
	struct sockaddr_in at;
	const int fd = listener(&at);
	struct tcp_probes *p = open_probes();
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	(void)state;
	if (p == NULL)
		skip();
	assert_int_equal(listen(fd, 0), 0);
	s.port = at.sin_port;

	const int only = connected(&at), late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(getsockopt(late, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	tcp_probes_socket(p, cookie, WIRE_ROLE_CLIENT);
	assert_int_equal(connect(late, (const struct sockaddr *)&at, sizeof(at)), -1);
	for (int i = 0; i < PATIENCE && s.client.syn_again == 0; i++) {
		poll(NULL, 0, 20);
		read_all(p, &s);
	}
	print_message("asked again %llu times\n", (unsigned long long)s.client.syn_again);
	assert_true(s.client.syn_again >= 1);
	assert_int_equal(s.client.retransmits, s.client.syn_again);
	close(late);
	close(only);
	tcp_probes_free(p);
	close(fd);
}

static void programs_are_gone_with_their_owner(void **state)
{
	struct seen s = {0};
	struct sockaddr_in at;
	const int fd = listener(&at);
	struct tcp_probes *p = open_probes();

	(void)state;
	if (p == NULL)
		skip();
	tcp_probes_free(p);
	tcp_probes_free(NULL);
	p = open_probes();
	assert_non_null(p);
	close(connected(&at));
	read_all(p, &s);
	assert_int_equal(s.told, 0);
	tcp_probes_free(p);
	close(fd);
}

TEST_MAIN(cmocka_unit_test(attempts_that_are_repeated), cmocka_unit_test(connections_by_peer),
	  cmocka_unit_test(what_was_there_before), cmocka_unit_test(programs_are_gone_with_their_owner))
