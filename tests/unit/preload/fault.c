/*
 * fault.c: which connections are led away, under which purse and lease, and what their peer is called afterwards; how long a look-up is delayed. The
 * session's memory and the clock are the test's own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
/* after cmocka's own needs */
#include "preload/fault.h"

#define START_NS 1000000000ULL

static struct wire_header header;
static struct wire_process process;
static _Atomic uint32_t on = 1;
static uint64_t now, step; /* the clock, and how far each look at it moves it */

struct shim shim = {.on = &on, .header = &header, .process = &process};

uint64_t shim_clock_monotonic(void)
{
	now += step;
	return now;
}

static const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = 0x5000, .sin_addr.s_addr = 0x0100007f};

static int set_up(void **state)
{
	struct stat network;

	(void)state;
	memset(&header, 0, sizeof(header));
	assert_int_equal(stat("/proc/thread-self/ns/net", &network), 0);
	header.fault.network = network.st_ino;
	header.fault.relay_port = 1000;
	header.fault.refuse_port = 1001;
	header.fault.silent_port = 1002;
	header.fault.until_ns = START_NS + WIRE_FAULT_LEASE_NS;
	header.fault.credit = 2;
	header.fault.way = WIRE_FAULT_RELAY;
	shim.pid = getpid();
	shim.quiet = false;
	now = START_NS;
	step = 0;
	return 0;
}

/* Is a connect of a socket of this kind led, and where to? */
static bool led(int family, int type, const void *to, socklen_t len, struct sockaddr_in6 *ret)
{
	const int fd = socket(family, type, 0);
	socklen_t ret_len = 0;
	bool r;

	errno = 77;
	r = fault_leads(fd, to, len, ret, &ret_len);
	assert_int_equal(errno, 77);
	assert_true(!r || ret_len == (family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)));
	close(fd);
	return r;
}

static bool led_plain(void)
{
	struct sockaddr_in6 to;

	return led(AF_INET, SOCK_STREAM, &peer, sizeof(peer), &to);
}

static struct sockaddr_in6 mapped(const struct sockaddr_in *v4)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = v4->sin_port};

	memset(a.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(a.sin6_addr.s6_addr + 12, &v4->sin_addr, 4);
	return a;
}

static void leads(void **state)
{
	struct sockaddr_in6 to = {0}, six = mapped(&peer);
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&to;
	const uint32_t first = htonl(WIRE_FAULT_NET + 1);

	(void)state;
	assert_true(led(AF_INET, SOCK_STREAM, &peer, sizeof(peer), &to));
	assert_int_equal(v4->sin_addr.s_addr, first);
	assert_int_equal(v4->sin_port, htons(1000));
	header.fault.way = WIRE_FAULT_SILENT;
	assert_true(led(AF_INET6, SOCK_STREAM, &six, sizeof(six), &to)); /* the same peer */
	assert_int_equal(to.sin6_port, htons(1002));
	assert_memory_equal(to.sin6_addr.s6_addr + 12, &first, 4);
	assert_int_equal(header.fault.affected, 2);
	assert_true(header.fault.affected_ns == START_NS);
	assert_false(led_plain()); /* the purse is empty */
	fault_give_back();
	assert_int_equal(header.fault.affected, 1);
	assert_true(led_plain());
}

static void lets_through(void **state)
{
	struct sockaddr_in6 to, six = {.sin6_family = AF_INET6, .sin6_port = 80, .sin6_addr.s6_addr = {0xfe, 0x80, [15] = 1}};
	struct sockaddr_in other = peer, none = peer;
	int only = 1;

	(void)state;
	other.sin_port = htons(81);
	none.sin_port = 0;
	assert_false(led(AF_INET, SOCK_DGRAM, &peer, sizeof(peer), &to));
	assert_false(led(AF_INET, SOCK_STREAM, &none, sizeof(none), &to));
	assert_false(led(AF_INET, SOCK_STREAM, NULL, sizeof(peer), &to));
	assert_false(led(AF_INET, SOCK_STREAM, (const void *)(uintptr_t)16, sizeof(peer), &to)); /* EFAULT is connect's to say */
	assert_false(led(AF_INET, SOCK_STREAM, &peer, 4, &to));
	assert_false(led(AF_INET6, SOCK_STREAM, &six, sizeof(six), &to)); /* link-local */
	six = mapped(&peer);
	const int fd = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
	socklen_t len;
	assert_false(fault_leads(fd, (const struct sockaddr *)&six, sizeof(six), &to, &len));
	close(fd);
	shim.quiet = true; /* a seccomp filter forbids to look */
	assert_false(led_plain());
	shim.quiet = false;
	header.fault.network++;
	assert_false(led_plain());
	header.fault.network--;
	now = header.fault.until_ns;
	assert_false(led_plain());
	now = START_NS;
	header.fault.way = WIRE_FAULT_NONE;
	assert_false(led_plain());
	header.fault.way = WIRE_FAULT_RELAY;
	assert_int_equal(header.fault.affected, 0);
	assert_true(led_plain()); /* and now this is the peer that is meant */
	assert_false(led(AF_INET, SOCK_STREAM, &other, sizeof(other), &to));
}

static void names_the_true_peer(void **state)
{
	struct sockaddr_in led_to = {.sin_family = AF_INET, .sin_port = htons(1000), .sin_addr.s_addr = htonl(WIRE_FAULT_NET + 1)},
			   a = led_to;
	struct sockaddr_in6 six = mapped(&led_to), wanted = mapped(&peer);
	socklen_t len = sizeof(a);

	(void)state;
	fault_peer_name((struct sockaddr *)&a, &len, sizeof(a)); /* nobody was led there */
	assert_memory_equal(&a, &led_to, sizeof(a));
	assert_true(led_plain());
	fault_peer_name((struct sockaddr *)&a, &len, sizeof(a));
	assert_memory_equal(&a, &peer, sizeof(a));
	len = sizeof(six);
	fault_peer_name((struct sockaddr *)&six, &len, sizeof(six));
	assert_memory_equal(&six, &wanted, sizeof(six));
	a = led_to;
	a.sin_port = htons(999); /* somebody else's */
	len = sizeof(a);
	fault_peer_name((struct sockaddr *)&a, &len, sizeof(a));
	assert_int_equal(a.sin_port, htons(999));
	a = led_to;
	fault_peer_name((struct sockaddr *)&a, &len, 4); /* it was cut off */
	assert_memory_equal(&a, &led_to, sizeof(a));
}

static void delays_look_ups(void **state)
{
	(void)state;
	step = WIRE_FAULT_SPELL_NS;
	header.fault.way = WIRE_FAULT_RESOLVE;
	header.fault.until_ns = START_NS + 100 * WIRE_FAULT_SPELL_NS;
	header.fault.delay_ns = 3 * WIRE_FAULT_SPELL_NS;
	assert_false(led_plain()); /* it is no fault of connections */
	now = START_NS;
	fault_resolve();
	assert_true(now >= START_NS + header.fault.delay_ns && now <= START_NS + header.fault.delay_ns + 2 * WIRE_FAULT_SPELL_NS);
	assert_int_equal(header.fault.affected, 1);
	now = START_NS;
	header.fault.until_ns = START_NS + 2 * WIRE_FAULT_SPELL_NS; /* it ends with the lease, long before */
	header.fault.delay_ns = 1000ULL * WIRE_FAULT_SPELL_NS;
	fault_resolve();
	assert_true(now <= header.fault.until_ns + WIRE_FAULT_SPELL_NS);
	assert_int_equal(header.fault.affected, 2);
	now = START_NS;
	fault_resolve(); /* the purse is empty */
	assert_int_equal(header.fault.affected, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(leads, set_up), cmocka_unit_test_setup(lets_through, set_up),
					   cmocka_unit_test_setup(names_the_true_peer, set_up),
					   cmocka_unit_test_setup(delays_look_ups, set_up)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
