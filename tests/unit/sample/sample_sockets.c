/* sample_sockets.c: our own sockets, as the kernel's own table shows them. */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "sample/root.h"

static struct sample_socket told_of(const struct root *r, int fd, uint64_t *ret_state)
{
	struct sample_socket s = {0};

	*ret_state = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->told[i].e.id != WIRE_SAMPLE_SOCKET || r->told[i].e.fd != fd)
			continue;
		assert_int_equal(r->told[i].e.pid, getpid());
		*ret_state = r->told[i].e.a0;
		memcpy(&s, r->told[i].data, sizeof s);
	}
	return s;
}

/* Who is told of each socket, too. */
static struct sample_found last_found;
static size_t rounds_over;

static void on_found(void *ctx, const struct sample_found *f)
{
	const uint16_t *port = ctx;

	rounds_over += f == NULL;
	if (f && f->port == *port && f->state == SAMPLE_LISTEN)
		last_found = *f;
}

static void test_each_is_told(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const uint32_t pid = (uint32_t)getpid();
	struct root *r = root_of("");
	socklen_t len = sizeof a;
	uint64_t cookie = 0;
	uint16_t port;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	sampler_on_found(r->s, on_found, &port);
	sampler_round(r->s, &pid, 1, 5, root_see, r);
	len = sizeof cookie;
	assert_int_equal(getsockopt(listener, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	assert_int_equal(last_found.pid, getpid());
	assert_int_equal(last_found.cookie, cookie);
	assert_true(last_found.net != 0);
	assert_int_equal(rounds_over, 1);
	sampler_on_found(r->s, NULL, NULL);
	close(listener);
	root_done(r);
}

static void look(struct root *r)
{
	const uint32_t pid = (uint32_t)getpid();
	struct sample_process p;

	r->n = 0;
	r->s->links_n = 0;
	sample_fds(r->s, pid, &p);
	r->n = 0; /* groups of a test's own descriptors are no matter here */
	sample_sockets(r->s, &pid, 1);
}

static void test_states(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	struct root *r = root_of("");
	struct sample_socket s;
	uint64_t what;
	int extra[3];

	(void)state;
	const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, len), 0);
	look(r);
	s = told_of(r, listener, &what);
	assert_int_equal(what, SAMPLE_LISTEN);
	assert_int_equal(s.queue, 1);
	assert_int_equal(s.queue_max, 1);
	assert_int_equal(s.port, ntohs(a.sin_port));
	assert_int_equal(s.drops, 0);
	told_of(r, client, &what);
	assert_int_equal(what, 0); /* established, and nothing was sent again */

	const int served = accept(listener, NULL, NULL);
	close(client);
	assert_int_equal(poll(&(struct pollfd){.fd = served, .events = POLLIN}, 1, 10000), 1);
	look(r);
	told_of(r, served, &what);
	assert_int_equal(what, SAMPLE_CLOSE_WAIT);
	s = told_of(r, listener, &what);
	assert_int_equal(s.queue, 0);

	for (size_t i = 0; i < 3; i++) { /* two wait, the third finds the queue full */
		extra[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(extra[i], (struct sockaddr *)&a, len);
	}
	do
		look(r);
	while (told_of(r, listener, &what).drops == 0);
	assert_true(told_of(r, listener, &what).net_overflows > s.net_overflows);
	assert_true(told_of(r, listener, &what).net_drops >= told_of(r, listener, &what).drops);
	assert_true(told_of(r, listener, &what).queue >= 1);
	for (size_t i = 0; i < 3; i++)
		close(extra[i]);
	close(served);
	close(listener);
	look(r);
	told_of(r, listener, &what);
	assert_int_equal(what, 0);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_each_is_told), cmocka_unit_test(test_states))
