/* The life of descriptors: every way to make one and to end one. */
#include "test.h"

#include "model/witness.h"

static void every_way_to_open(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open");
	script_socket_of(&s, 3, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK);
	script_socket_of(&s, 4, AF_INET, SOCK_DGRAM);
	script_socket_of(&s, 5, AF_UNIX, SOCK_STREAM);
	script_socket_of(&s, 6, AF_NETLINK, SOCK_RAW);
	script_event(&s, (struct event){.id = WIRE_SOCKETPAIR, .fd = 7, .a0 = (uint64_t)AF_UNIX << 32 | SOCK_STREAM, .a1 = 8});
	script_event(&s, (struct event){.id = WIRE_PIPE, .fd = 9, .a0 = O_NONBLOCK, .a1 = 10});
	script_open(&s, 11, "/tmp/x", O_RDONLY);
	script_epoll_create(&s, 12);
	script_event(&s, (struct event){.id = WIRE_SOCKET, .fd = -1, .ret = -1, .err = EMFILE});
	script_open(&s, -1, "/none", O_RDONLY);
	witness_is(&w, "open 3 tcp\nopen 4 udp\nopen 5 unix\nopen 6 other\nopen 7 unix\nopen 8 unix\nopen 9 pipe\nopen 10 pipe\n"
		       "open 11 file\nopen 12 other\n");
	assert_true(model_conn(s.model, 100, 3)->nonblocking && model_conn(s.model, 100, 10)->nonblocking);
	assert_string_equal(model_conn(s.model, 100, 11)->path, "/tmp/x");
	script_listen(&s, 20, 80);
	script_accept(&s, 20, 21, "10.0.0.7", 4000);
	script_event(&s, (struct event){.id = WIRE_ACCEPT, .fd = 20, .ret = -1, .err = EAGAIN});
	witness_is(&w, "open 20 tcp\nopen 21 tcp 10.0.0.7:4000\n");
	assert_int_equal(model_conn(s.model, 100, 20)->role, CONN_LISTENER);
	assert_int_equal(model_conn(s.model, 100, 21)->role, CONN_SERVER);
	script_done(&s);
}

static void shutdown_both_ways_is_a_close(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close data");
	for (int fd = 5; fd <= 6; fd++) {
		script_socket(&s, fd);
		script_connect(&s, fd, "10.0.0.9", 80, 0);
	}
	script_shutdown(&s, 5, SHUT_WR);
	script_read(&s, 5, "rest");
	script_shutdown(&s, 5, SHUT_RD);
	script_shutdown(&s, 6, SHUT_RDWR);
	witness_is(&w, "data 5 in 4\nclose 5 by-us\nclose 6 by-us\n");
	assert_null(model_conn(s.model, 100, 5));
	script_read_eof(&s, 5);
	script_close(&s, 5);
	script_close(&s, 6);
	witness_is(&w, "");
	script_done(&s);
}

static void ranges(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "close");
	for (int fd = 3; fd < 8; fd++)
		script_socket(&s, fd);
	script_event(&s, (struct event){.id = WIRE_CLOSE, .fd = 4, .a0 = 6, .flags = WIRE_F_RANGE});
	witness_is(&w, "close 4 by-us\nclose 5 by-us\nclose 6 by-us\n");
	script_event(&s, (struct event){.id = WIRE_CLOSE, .fd = 0, .a0 = UINT32_MAX, .flags = WIRE_F_RANGE});
	witness_is(&w, "close 3 by-us\nclose 7 by-us\n");
	script_done(&s);
}

/* A socket from before that is connected to nobody yet: what it was made with tells it from a connection's. */
static void sockets_from_before(void **state)
{
	struct event kind = {.id = WIRE_FD_KIND, .a0 = WIRE_FD_SOCKET};
	struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open");
	kind.fd = 5;
	kind.a1 = (uint64_t)AF_INET << WIRE_DOMAIN_SHIFT | (uint64_t)SOCK_DGRAM << WIRE_TYPE_SHIFT;
	script_event(&s, kind);
	kind.fd = 6;
	kind.a1 = (uint64_t)AF_INET6 << WIRE_DOMAIN_SHIFT | (uint64_t)SOCK_STREAM << WIRE_TYPE_SHIFT;
	script_event(&s, kind);
	kind.fd = 7;
	kind.a1 = (uint64_t)AF_UNIX << WIRE_DOMAIN_SHIFT | (uint64_t)SOCK_DGRAM << WIRE_TYPE_SHIFT;
	script_event(&s, kind);
	kind.fd = 8;
	kind.a1 = 0; /* by probes, nobody looked */
	script_event(&s, kind);
	witness_is(&w, "open 5 udp inherited\nopen 6 tcp inherited\nopen 7 unix inherited\nopen 8 tcp inherited\n");
	script_event(&s, (struct event){.id = WIRE_CONNECT,
					.fd = 8,
					.ret = -1,
					.err = ENOENT,
					.data = (const uint8_t *)&log,
					.data_len = sizeof(log)});
	assert_int_equal(model_conn(s.model, 100, 8)->kind, CONN_UNIX);
	script_done(&s);
}

static void what_the_shim_finds_corrects_the_table(void **state)
{
	struct script s;
	struct witness w;
	struct sockaddr_in peer = script_address("10.0.0.9", 5432);
	struct event kind = {.id = WIRE_FD_KIND,
			     .fd = 5,
			     .a0 = WIRE_FD_SOCKET,
			     .a1 = O_NONBLOCK,
			     .data = (const uint8_t *)&peer,
			     .data_len = sizeof(peer)};

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close");
	script_event(&s, kind);
	witness_is(&w, "open 5 tcp inherited 10.0.0.9:5432\n");
	assert_true(model_conn(s.model, 100, 5)->nonblocking);
	kind.a0 = WIRE_FD_PIPE; /* closed and opened behind our back */
	kind.data_len = 0;
	script_event(&s, kind);
	witness_is(&w, "close 5 by-us\nopen 5 pipe inherited\n");
	/* What we saw opened keeps its history. */
	script_socket(&s, 6);
	kind.fd = 6;
	kind.a0 = WIRE_FD_SOCKET;
	script_event(&s, kind);
	witness_is(&w, "open 6 tcp\n");
	assert_false(model_conn(s.model, 100, 6)->inherited);
	kind.fd = -1;
	script_event(&s, kind);
	witness_is(&w, "");
	script_done(&s);
}

/* An attach looked when the number was another connection's already; the shim, at the first call, names the one from before. */
static void a_number_that_changed_hands_during_the_attach(void **state)
{
	struct script s;
	struct witness w;
	struct sockaddr_in later = script_address("10.0.0.9", 80), earlier = script_address("10.0.0.7", 40001);
	struct event kind = {.id = WIRE_FD_KIND, .fd = 5, .a0 = WIRE_FD_SOCKET, .data_len = sizeof(later)};

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close");
	kind.a1 = O_NONBLOCK | (uint64_t)WIRE_ROLE_CLIENT << WIRE_ROLE_SHIFT;
	kind.data = (const uint8_t *)&later;
	script_event(&s, kind);
	witness_is(&w, "open 5 tcp inherited 10.0.0.9:80\n");
	script_event(&s, kind);
	witness_is(&w, ""); /* the same one */
	kind.a1 = 0;
	kind.data = (const uint8_t *)&earlier;
	script_event(&s, kind);
	witness_is(&w, "close 5 by-us\nopen 5 tcp inherited 10.0.0.7:40001\n");
	assert_int_equal(model_conn(s.model, 100, 5)->role, CONN_UNKNOWN);
	script_done(&s);
}

/* A number is free before the close() that frees it returns: what another thread opened there meanwhile stays open. */
static void the_next_owner_of_a_number(void **state)
{
	struct script s;
	struct witness w;

	(void)state;
	script_init(&s);
	witness_init(&w, s.model, "open close");
	script_socket(&s, 5);
	const uint64_t called = s.now;
	script_pass(&s, SCRIPT_USEC);
	s.tid = 101;
	script_socket(&s, 5);
	witness_is(&w, "open 5 tcp\nclose 5 by-us\nopen 5 tcp\n");
	s.tid = 0;
	script_event(&s, (struct event){.id = WIRE_CLOSE, .fd = 5, .t0 = called, .t1 = s.now + SCRIPT_SEC});
	witness_is(&w, "");
	script_close(&s, 5);
	witness_is(&w, "close 5 by-us\n");
	script_done(&s);
}

TEST_MAIN(cmocka_unit_test(the_next_owner_of_a_number), cmocka_unit_test(every_way_to_open),
	  cmocka_unit_test(shutdown_both_ways_is_a_close), cmocka_unit_test(ranges), cmocka_unit_test(sockets_from_before),
	  cmocka_unit_test(what_the_shim_finds_corrects_the_table), cmocka_unit_test(a_number_that_changed_hands_during_the_attach))
