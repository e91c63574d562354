/* Connections that rest are ended, others are left alone. */
#include "net.h"

#include "prove/pool.h"

struct scene {
	struct process self;
	struct conn conn;
	struct wire_fault_peer peer;
	struct pool pool;
	int listener, mine, theirs;
};

static void set(struct scene *s)
{
	uint16_t port;

	*s = (struct scene){.self.pid = (uint32_t)getpid()};
	s->listener = net_listen(&port);
	s->mine = net_connect(INADDR_LOOPBACK, port);
	s->theirs = net_accept(s->listener);
	s->conn = (struct conn){.id = 7, .process = &s->self, .fd = s->mine, .kind = CONN_TCP, .role = CONN_CLIENT};
	*(struct sockaddr_in *)(void *)&s->conn.peer_addr =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_true(pool_address(&s->conn, s->peer.address, &s->peer.port));
	assert_int_equal(s->peer.port, htons(port));
	pool_note(&s->pool, &s->conn);
	pool_note(&s->pool, &s->conn); /* once */
	assert_int_equal(s->pool.members[0].id, 7);
	assert_int_equal(s->pool.members[1].id, 0);
}

static void done(struct scene *s)
{
	close(s->mine);
	close(s->theirs);
	close(s->listener);
}

/* A question and its answer, some moments apart, as the kernel counts them. */
static void ask(struct scene *s, bool answered)
{
	struct timespec moment = {.tv_nsec = 20000000};

	nanosleep(&moment, NULL); /* it is the passing of time that is looked at */
	net_say(s->mine, "GET / HTTP/1.1\r\n\r\n");
	net_expect(s->theirs, "GET / HTTP/1.1\r\n\r\n");
	if (answered) {
		net_say(s->theirs, "HTTP/1.1 204 No Content\r\n\r\n");
		net_expect(s->mine, "HTTP/1.1 204 No Content\r\n\r\n");
	}
}

static void ends_what_rests(void **state)
{
	struct scene s;
	char c;
	(void)state;

	set(&s);
	ask(&s, true);
	assert_int_equal(pool_end(&s.pool, &s.peer, 0), 0);
	assert_int_equal(pool_end(&s.pool, &s.peer, 5), 1);
	assert_true(net_ready(s.mine, POLLIN, PATIENCE_MS));
	assert_int_equal(recv(s.mine, &c, 1, 0), 0);
	net_say(s.mine, "no signal comes of this"); /* and it arrives */
	net_expect(s.theirs, "no signal comes of this");
	assert_int_equal(pool_end(&s.pool, &s.peer, 5), 0);
	done(&s);
}

static void leaves_what_waits(void **state)
{
	struct scene s;
	(void)state;

	set(&s);
	ask(&s, false);
	assert_int_equal(pool_end(&s.pool, &s.peer, 5), 0);
	assert_false(net_ready(s.mine, POLLIN, GLANCE_MS));
	done(&s);
}

static void leaves_what_is_not_meant(void **state)
{
	struct scene s;
	(void)state;

	set(&s);
	ask(&s, true);
	pool_forget(&s.pool, 7);
	assert_int_equal(pool_end(&s.pool, &s.peer, 5), 0);
	pool_note(&s.pool, &s.conn);
	s.peer.port++; /* the number is another connection's by now */
	assert_int_equal(pool_end(&s.pool, &s.peer, 5), 0);
	assert_false(net_ready(s.mine, POLLIN, GLANCE_MS));
	s.conn.role = CONN_SERVER;
	assert_false(pool_address(&s.conn, s.peer.address, &s.peer.port));
	done(&s);
}

TEST_MAIN(cmocka_unit_test(ends_what_rests), cmocka_unit_test(leaves_what_waits), cmocka_unit_test(leaves_what_is_not_meant))
