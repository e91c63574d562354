/*
 * lead.c in the running kernel: while a fault is on, a connection of a watched child goes to where the fault says, to each port and at both
 * families; its getpeername() names whom it wanted; the purse is respected; others, other peers and times after the lease are let through.
 * Where the programs cannot be loaded, the reason must be said.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probes/lead.h"
#include "test.h"

enum { LONG_S = 600 };

struct scene {
	struct lead *lead;
	struct wire_fault *fault;
	int peer, relay;
	struct sockaddr_in peer_at;
};

static int listener(uint32_t address, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static int set_up(void **state)
{
	static struct scene s;
	struct sockaddr_in relay_at;
	struct stat network;
	char why[256] = "";

	*state = &s;
	if (lead_open(&s.lead, why, sizeof(why)) != 0) {
		assert_true(why[0] != '\0');
		print_message("no programs here: %s\n", why);
		/* A root's programs must load on the machines that this is tested on. */
		assert_true(geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0 || strstr(why, "CAP_") ||
			    strstr(why, "control groups"));
		return 0;
	}
	assert_int_equal(stat("/proc/self/ns/net", &network), 0);
	s.fault = lead_fault(s.lead);
	s.peer = listener(INADDR_LOOPBACK, &s.peer_at);
	s.relay = listener(INADDR_ANY, &relay_at);
	s.fault->network = network.st_ino;
	s.fault->relay_port = ntohs(relay_at.sin_port);
	s.fault->refuse_port = 1; /* nobody listens there */
	lead_watch_children(s.lead);
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	lead_free(s->lead);
	if (s->fault) {
		close(s->peer);
		close(s->relay);
	}
	return 0;
}

static void fault_on(struct scene *s, enum wire_fault_way way, int32_t credit)
{
	atomic_store(&s->fault->target, 0);
	atomic_store(&s->fault->credit, credit);
	atomic_store(&s->fault->affected, 0);
	atomic_store(&s->fault->until_ns, now_ns() + LONG_S * 1000000000ULL);
	atomic_store(&s->fault->way, way);
}

enum seen { WENT = 1, NAMED = 2, REFUSED = 4 };

/* Connects, and says what it saw. */
static int try_connect(const struct sockaddr_in *to, bool six)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = to->sin_port}, named = {0};
	socklen_t len = sizeof(named);
	const int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	int seen = 0, e;

	memset(v6.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(v6.sin6_addr.s6_addr + 12, &to->sin_addr, 4);
	e = six ? connect(fd, (struct sockaddr *)&v6, sizeof(v6)) : connect(fd, (const struct sockaddr *)to, sizeof(*to));
	if (e == 0 && getpeername(fd, (struct sockaddr *)&named, &len) == 0)
		seen = WENT | (memcmp(&named, six ? (const void *)&v6 : (const void *)to, 8) == 0 &&
					       (!six || memcmp(&named.sin6_addr, &v6.sin6_addr, 16) == 0)
				       ? NAMED
				       : 0);
	if (e != 0 && errno == ECONNREFUSED)
		seen = REFUSED;
	close(fd);
	return seen;
}

/* The same in a child, which is watched. */
static int child_sees(const struct sockaddr_in *to, bool six)
{
	const pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(try_connect(to, six));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

/* Who came to this listener: the row it was led to, or -1. */
static int row_that_came(int fd)
{
	struct sockaddr_in at = {0};
	socklen_t len = sizeof(at);
	const int c = accept(fd, NULL, NULL);

	assert_true(c >= 0);
	assert_int_equal(getsockname(c, (struct sockaddr *)&at, &len), 0);
	close(c);
	return ntohl(at.sin_addr.s_addr) == INADDR_LOOPBACK ? -1 : (int)(ntohl(at.sin_addr.s_addr) - WIRE_FAULT_NET - 1);
}

static void leads_to_the_relay(void **state)
{
	struct scene *s = *state;

	if (!s->lead)
		skip();
	for (int six = 0; six < 2; six++) {
		fault_on(s, WIRE_FAULT_RELAY, 1);
		assert_int_equal(child_sees(&s->peer_at, six), WENT | NAMED);
		assert_int_equal(row_that_came(s->relay), 0); /* both times: it is one peer */
		assert_int_equal(atomic_load(&s->fault->affected), 1);
		assert_int_equal(child_sees(&s->peer_at, six), WENT | NAMED); /* the purse is empty */
		assert_int_equal(row_that_came(s->peer), -1);
	}
	assert_int_equal(s->fault->peers[0].port, s->peer_at.sin_port);
}

static void refuses(void **state)
{
	struct scene *s = *state;

	if (!s->lead)
		skip();
	fault_on(s, WIRE_FAULT_REFUSE, 2);
	assert_int_equal(child_sees(&s->peer_at, false), REFUSED);
	assert_int_equal(child_sees(&s->peer_at, true), REFUSED);
	assert_int_equal(atomic_load(&s->fault->affected), 2);
}

static void lets_through(void **state)
{
	struct scene *s = *state;
	struct sockaddr_in other_at;
	const int other = listener(INADDR_LOOPBACK, &other_at);

	if (!s->lead)
		skip();
	fault_on(s, WIRE_FAULT_RELAY, 9);
	assert_int_equal(try_connect(&s->peer_at, false), WENT | NAMED); /* not of the service: ourselves */
	assert_int_equal(row_that_came(s->peer), -1);
	atomic_store(&s->fault->target, 1); /* another peer than the one that is meant */
	assert_int_equal(child_sees(&other_at, false), WENT | NAMED);
	assert_int_equal(row_that_came(other), -1);
	atomic_store(&s->fault->until_ns, now_ns() - 1); /* the lease ran out */
	assert_int_equal(child_sees(&s->peer_at, false), WENT | NAMED);
	assert_int_equal(row_that_came(s->peer), -1);
	fault_on(s, WIRE_FAULT_RELAY, 9);
	s->fault->network++; /* the relay is in another network */
	assert_int_equal(child_sees(&s->peer_at, false), WENT | NAMED);
	assert_int_equal(row_that_came(s->peer), -1);
	s->fault->network--;
	assert_int_equal(atomic_load(&s->fault->affected), 0);
	close(other);
}

static void is_gone_with_its_owner(void **state)
{
	struct scene *s = *state;

	if (!s->lead)
		skip();
	fault_on(s, WIRE_FAULT_RELAY, 9);
	lead_free(s->lead);
	s->lead = NULL;
	s->fault = NULL;
	assert_int_equal(child_sees(&s->peer_at, false), WENT | NAMED);
	assert_int_equal(row_that_came(s->peer), -1);
	close(s->peer);
	close(s->relay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(leads_to_the_relay), cmocka_unit_test(refuses),
					   cmocka_unit_test(lets_through), cmocka_unit_test(is_gone_with_its_owner)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
