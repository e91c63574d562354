/* One connection through the relay, driven by hand. */
#include "net.h"

#include <sys/epoll.h>

#include "prove/pair.h"

#define S 1000000000ULL

struct scene {
	struct pair_env env;
	int peer, client, server, said;
	uint32_t row;
};

/* Let everything happen that can, without the time going on. */
static void settle(struct scene *s)
{
	struct epoll_event ev;

	while (epoll_wait(s->env.epoll, &ev, 1, 50) > 0)
		pair_ready(&s->env, ev.data.ptr, ev.events);
}

static void at(struct scene *s, uint64_t ns)
{
	s->env.now_ns = ns;
	pair_tick(&s->env, s->env.pairs);
	settle(s);
}

/* A connection with a fault of this kind, at second 100. */
static struct scene open_scene(enum fault_kind kind)
{
	struct scene s = {0};
	uint16_t port, relay;
	int control[2];
	const int listener = net_listen(&relay);

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control), 0);
	s.env = (struct pair_env){.fault = net_fault(),
				  .epoll = epoll_create1(0),
				  .control = control[0],
				  .now_ns = 100 * S,
				  .hold_ns = 30 * S,
				  .on = true};
	s.said = control[1];
	s.peer = net_listen(&port);
	s.row = net_row(s.env.fault, port);
	s.env.fault->kind = kind;
	s.env.fault->way = kind < FAULTS ? faults[kind].way : WIRE_FAULT_NONE;
	s.client = net_connect(INADDR_LOOPBACK, relay);
	assert_true(net_ready(listener, POLLIN, PATIENCE_MS));
	pair_new(&s.env, accept4(listener, NULL, NULL, SOCK_NONBLOCK), s.row);
	close(listener);
	s.server = -1;
	return s;
}

static void ask(struct scene *s, const char *text)
{
	net_say(s->client, text);
	settle(s);
	if (s->server < 0)
		s->server = net_accept(s->peer);
	net_expect(s->server, text);
}

static void answer(struct scene *s, const char *text)
{
	net_say(s->server, text);
	settle(s);
}

static struct relay_said said(struct scene *s)
{
	struct relay_said r;

	assert_int_equal(recv(s->said, &r, sizeof(r), MSG_DONTWAIT), sizeof(r));
	return r;
}

static void silent(struct scene *s)
{
	char byte;

	assert_int_equal(recv(s->client, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(s->said, &byte, 1, MSG_DONTWAIT), -1);
}

static void close_scene(struct scene *s)
{
	close(s->client);
	if (s->server >= 0)
		close(s->server);
	settle(s);
	for (uint64_t i = 0; i < 3; i++) {
		s->env.now_ns += S;
		if (s->env.pairs)
			pair_tick(&s->env, s->env.pairs);
		settle(s);
		pairs_sweep(&s->env);
	}
	assert_int_equal(s->env.pairs_n, 0);
	close(s->peer);
	close(s->said);
	close(s->env.control);
	close(s->env.epoll);
	munmap(s->env.fault, sizeof(*s->env.fault));
}

static void still_waiting(void **state)
{
	struct scene s = open_scene(FAULT_STALL);

	(void)state;
	ask(&s, "GET / HTTP/1.1\r\n\r\n");
	answer(&s, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(said(&s).what, RELAY_ASKED);
	at(&s, 129 * S);
	silent(&s);
	at(&s, 130 * S);
	const struct relay_said r = said(&s);
	assert_int_equal(r.what, RELAY_WAITED);
	assert_int_equal(r.waited_ns, 30 * S);
	net_expect(s.client, "HTTP/1.1 200 OK\r\n\r\n");
	close_scene(&s);
}

static void greeting_is_withheld(void **state)
{
	struct scene s = open_scene(FAULT_STALL);

	(void)state;
	settle(&s);
	s.server = net_accept(s.peer);
	answer(&s, "220 hello\r\n");
	assert_int_equal(said(&s).what, RELAY_ASKED);
	silent(&s);
	s.env.now_ns = 103 * S;
	close(s.client);
	settle(&s);
	const struct relay_said r = said(&s);
	assert_int_equal(r.what, RELAY_GAVE_UP);
	assert_int_equal(r.waited_ns, 3 * S);
	s.client = -1;
	close_scene(&s);
}

static void head_passes_body_stops(void **state)
{
	struct scene s = open_scene(FAULT_BODY);

	(void)state;
	ask(&s, "GET / HTTP/1.1\r\n\r\n");
	s.env.now_ns = 101 * S;
	answer(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
	net_expect(s.client, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
	assert_int_equal(said(&s).what, RELAY_ASKED);
	at(&s, 102 * S);
	silent(&s);
	close(s.client);
	settle(&s);
	const struct relay_said r = said(&s);
	assert_int_equal(r.what, RELAY_GAVE_UP);
	assert_int_equal(r.waited_ns, 1 * S);
	assert_int_equal(r.whole_ns, 2 * S);
	s.client = -1;
	close_scene(&s);
}

static void drips(void **state)
{
	struct scene s = open_scene(FAULT_DRIP);

	(void)state;
	ask(&s, "GET / HTTP/1.1\r\n\r\n");
	answer(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
	net_expect(s.client, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
	assert_int_equal(said(&s).what, RELAY_ASKED);
	silent(&s);
	at(&s, 101 * S);
	net_expect(s.client, "b");
	silent(&s);
	at(&s, 102 * S);
	net_expect(s.client, "o");
	at(&s, 103 * S);
	net_expect(s.client, "d");
	at(&s, 104 * S); /* the last byte is never dripped */
	assert_int_equal(said(&s).what, RELAY_FREED);
	net_expect(s.client, "y");
	close_scene(&s);
}

static void answers_503(void **state)
{
	struct scene s = open_scene(FAULT_503);

	(void)state;
	net_say(s.client, "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
	settle(&s);
	silent(&s);
	net_say(s.client, "cd");
	settle(&s);
	net_expect(s.client, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_int_equal(said(&s).what, RELAY_CUT);
	close_scene(&s);
}

static void not_http_is_left_alone(void **state)
{
	struct scene s = open_scene(FAULT_503);

	(void)state;
	ask(&s, "*1\r\n$4\r\nPING\r\n");
	answer(&s, "+PONG\r\n");
	net_expect(s.client, "+PONG\r\n");
	assert_int_equal(said(&s).what, RELAY_UNFIT);
	close_scene(&s);
}

/* A connection that has been here for long: its next request feels the fault, if the purse allows. */
static void pooled(void **state)
{
	struct scene s = open_scene(FAULTS);

	(void)state;
	s.env.fault->target = s.row + 1;
	ask(&s, "GET / HTTP/1.1\r\n\r\n");
	answer(&s, "HTTP/1.1 200 OK\r\n\r\n");
	net_expect(s.client, "HTTP/1.1 200 OK\r\n\r\n");
	s.env.fault->kind = FAULT_STALL;
	s.env.fault->way = WIRE_FAULT_RELAY;
	ask(&s, "GET /2 HTTP/1.1\r\n\r\n");
	answer(&s, "HTTP/1.1 200 OK\r\n\r\n");
	net_expect(s.client, "HTTP/1.1 200 OK\r\n\r\n");
	atomic_store(&s.env.fault->credit, 1);
	ask(&s, "GET /3 HTTP/1.1\r\n\r\n");
	assert_int_equal(said(&s).what, RELAY_ASKED);
	answer(&s, "HTTP/1.1 200 OK\r\n\r\n");
	silent(&s);
	assert_int_equal(atomic_load(&s.env.fault->affected), 1);
	s.env.on = false;
	at(&s, 101 * S);
	net_expect(s.client, "HTTP/1.1 200 OK\r\n\r\n");
	close_scene(&s);
}

TEST_MAIN(cmocka_unit_test(still_waiting), cmocka_unit_test(greeting_is_withheld), cmocka_unit_test(head_passes_body_stops),
	  cmocka_unit_test(drips), cmocka_unit_test(answers_503), cmocka_unit_test(not_http_is_left_alone),
	  cmocka_unit_test(pooled))
