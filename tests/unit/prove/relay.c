/* The relay as a process: what it does to connections, and that nothing of it outlives the agent or the lease. */
#include "net.h"

struct scene {
	struct wire_fault *fault;
	struct relay relay;
	int peer;
	uint32_t row;
};

static int set_up(void **state)
{
	static struct scene s;
	char err[256] = "";
	uint16_t port;

	s.fault = net_fault();
	s.peer = net_listen(&port);
	s.row = net_row(s.fault, port);
	if (relay_start(&s.relay, s.fault, 0, 60000000000ULL, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	relay_leave(&s->relay);
	close(s->peer);
	munmap(s->fault, sizeof(*s->fault));
	return 0;
}

static void fault_on(struct scene *s, enum fault_kind kind, uint64_t lease_ns)
{
	s->fault->kind = kind;
	atomic_store(&s->fault->until_ns, net_now() + lease_ns);
	atomic_store(&s->fault->way, faults[kind].way);
}

static struct relay_said said(struct scene *s)
{
	struct relay_said r = {0};

	assert_true(net_ready(s->relay.control, POLLIN, PATIENCE_MS));
	assert_true(relay_next(&s->relay, &r));
	assert_int_equal(r.row, s->row);
	return r;
}

/* A connection that has asked, and whose peer has answered. */
static int asked(struct scene *s, int *ret_peer)
{
	const int c = net_led(s->fault, s->row, s->fault->relay_port);

	net_say(c, "GET / HTTP/1.1\r\n\r\n");
	*ret_peer = net_accept(s->peer);
	net_expect(*ret_peer, "GET / HTTP/1.1\r\n\r\n");
	net_say(*ret_peer, "HTTP/1.1 200 OK\r\n\r\nanswer");
	return c;
}

static void plain(void **state)
{
	struct scene *s = *state;
	int peer;
	const int c = asked(s, &peer);

	net_expect(c, "HTTP/1.1 200 OK\r\n\r\nanswer");
	close(peer);
	assert_true(net_ready(c, POLLIN, PATIENCE_MS));
	assert_int_equal(recv(c, &peer, 1, 0), 0);
	close(c);
}

static void stall_and_give_up(void **state)
{
	struct scene *s = *state;
	int peer;

	fault_on(s, FAULT_STALL, 60000000000ULL);
	const int c = asked(s, &peer);
	assert_int_equal(said(s).what, RELAY_ASKED);
	assert_false(net_ready(c, POLLIN, GLANCE_MS));
	close(c);
	const struct relay_said r = said(s);
	assert_int_equal(r.what, RELAY_GAVE_UP);
	assert_true(r.waited_ns >= GLANCE_MS * 1000000ULL);
	close(peer);
}

static void lease_runs_out(void **state)
{
	struct scene *s = *state;
	int peer;

	/* It runs out once the answer is held, however long a busy machine takes until then. */
	fault_on(s, FAULT_STALL, 60000000000ULL);
	const int c = asked(s, &peer);
	assert_int_equal(said(s).what, RELAY_ASKED);
	assert_false(net_ready(c, POLLIN, GLANCE_MS));
	atomic_store(&s->fault->until_ns, net_now() + 100000000ULL);
	net_expect(c, "HTTP/1.1 200 OK\r\n\r\nanswer");
	assert_int_equal(said(s).what, RELAY_FREED);
	close(c);
	close(peer);
}

/* The agent is gone: its end of the socket is closed, and what was held flows, though the lease still runs. */
static void agent_dies(void **state)
{
	struct scene *s = *state;
	int peer;

	fault_on(s, FAULT_STALL, 60000000000ULL);
	const int c = asked(s, &peer);
	assert_int_equal(said(s).what, RELAY_ASKED);
	assert_false(net_ready(c, POLLIN, GLANCE_MS));
	const uint64_t died = net_now();
	relay_leave(&s->relay);
	net_expect(c, "HTTP/1.1 200 OK\r\n\r\nanswer");
	print_message("flows again %.3f s after the agent is gone\n", (double)(net_now() - died) / 1e9);
	net_say(peer, "more");
	net_expect(c, "more");
	close(c);
	close(peer);
}

static void reset_and_refuse(void **state)
{
	struct scene *s = *state;
	char byte;

	fault_on(s, FAULT_RESET, 60000000000ULL);
	int c = net_led(s->fault, s->row, s->fault->relay_port);
	net_say(c, "GET / HTTP/1.1\r\n\r\n");
	assert_true(net_ready(c, POLLIN, PATIENCE_MS));
	assert_int_equal(recv(c, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(said(s).what, RELAY_CUT);
	close(c);
	c = net_led(s->fault, s->row, s->fault->refuse_port);
	assert_true(net_ready(c, POLLOUT, PATIENCE_MS));
	int e = 0;
	socklen_t len = sizeof(e);
	assert_int_equal(getsockopt(c, SOL_SOCKET, SO_ERROR, &e, &len), 0);
	assert_int_equal(e, ECONNREFUSED);
	close(c);
}

static void silent(void **state)
{
	struct scene *s = *state;

	assert_int_equal(atomic_load(&s->fault->silent), 1);
	fault_on(s, FAULT_CONNECT, 60000000000ULL);
	const int c = net_led(s->fault, s->row, s->fault->silent_port);
	assert_int_equal(said(s).what, RELAY_ASKED);
	assert_false(net_ready(c, POLLOUT, GLANCE_MS));
	close(c);
	const struct relay_said r = said(s);
	assert_int_equal(r.what, RELAY_GAVE_UP);
	assert_int_equal(r.kind, FAULT_CONNECT);
	/* who still knocks when the fault ends is let in, and reaches the peer */
	const int d = net_led(s->fault, s->row, s->fault->silent_port);
	assert_int_equal(said(s).what, RELAY_ASKED);
	atomic_store(&s->fault->way, WIRE_FAULT_NONE);
	net_say(d, "hello");
	const int peer = net_accept(s->peer);
	net_expect(peer, "hello");
	close(d);
	close(peer);
}

/* Who is none of the service's connections is turned away. */
static void strangers(void **state)
{
	struct scene *s = *state;
	char byte;
	const int c = net_connect(INADDR_LOOPBACK, s->fault->relay_port);

	assert_true(net_ready(c, POLLIN, PATIENCE_MS));
	assert_int_equal(recv(c, &byte, 1, 0), 0);
	close(c);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
TEST_MAIN(SCENE(plain), SCENE(stall_and_give_up), SCENE(lease_runs_out), SCENE(agent_dies), SCENE(reset_and_refuse), SCENE(silent),
	  SCENE(strangers))
