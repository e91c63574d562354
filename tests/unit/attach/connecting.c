/* agent/attach/connecting.c: whom a socket is being connected to, and since when. */
#include "attach/connecting.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define S 1000000000ULL
#define ATTEMPTS 4 /* a backlog of none has room for one connection */

static void test_age(void **state)
{
	(void)state;
	/* in the first pause; after one of the same length; after 1 + 1 + 1 + 1 + 1 + 2, in the one of 4 */
	assert_int_equal(connecting_age_ns(&(struct connecting){.pause_ns = S, .left_ns = S / 4}), S * 3 / 4);
	assert_int_equal(connecting_age_ns(&(struct connecting){.again = 1, .pause_ns = S, .left_ns = S}), S);
	assert_int_equal(connecting_age_ns(&(struct connecting){.again = 6, .doubled = 2, .pause_ns = 4 * S, .left_ns = S}),
			 7 * S + 3 * S);
	/* doubled each time: 1 + 2 + 4, and none of 8 */
	assert_int_equal(connecting_age_ns(&(struct connecting){.again = 3, .doubled = 3, .pause_ns = 8 * S, .left_ns = 9 * S}),
			 7 * S);
	/* nonsense is no overflow */
	assert_true(connecting_age_ns(&(struct connecting){.doubled = 255, .pause_ns = 120 * S}) < 1000 * S);
}

static void test_sockets(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, seen;
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(a);
	int fds[ATTEMPTS], n = 0;
	struct sockaddr_storage peer;
	uint64_t age;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_false(connecting(getpid(), listener, &peer, &len, &age));
	for (int i = 0; i < ATTEMPTS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&a, sizeof(a));
		if (!connecting(getpid(), fds[i], &peer, &len, &age))
			continue;
		n++;
		assert_int_equal(len, sizeof(seen));
		memcpy(&seen, &peer, sizeof(seen));
		assert_int_equal(seen.sin_port, a.sin_port);
		assert_int_equal(seen.sin_addr.s_addr, a.sin_addr.s_addr);
	}
	assert_true(n >= 1);
	for (int i = 0; i < ATTEMPTS; i++)
		close(fds[i]);
	close(listener);
}

TEST_MAIN(cmocka_unit_test(test_age), cmocka_unit_test(test_sockets))
