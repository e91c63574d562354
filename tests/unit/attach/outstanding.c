/* outstanding.c: a connection on loopback that asks, and is answered. */
#include "attach/outstanding.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#define PAUSE_MS 30 /* more than the kernel's clock for this is coarse */

struct account {
	const char *what;
	uint32_t sent, received, acknowledged, unacked, data_out, data_in, bare_in; /* the first three: ms ago */
	enum outstanding says;
};

static const struct account accounts[] = {
	{"nothing yet", 90, 90, 90, 0, 0, 0, 1, OUTSTANDING_FRESH},
	{"a greeting", 90, 40, 40, 0, 0, 1, 1, OUTSTANDING_NOT},
	{"the first question", 40, 40, 40, 0, 1, 0, 2, OUTSTANDING_FIRST},
	{"answered", 44, 40, 40, 0, 2, 2, 2, OUTSTANDING_NOT},
	{"asked later", 40, 44, 40, 1, 2, 1, 2, OUTSTANDING_ASKED},
	{"asked in the tick of an answer, on its way", 8, 8, 8, 1, 3, 2, 2, OUTSTANDING_ASKED},
	{"… acknowledged by itself after a while", 604, 604, 560, 0, 3, 2, 3, OUTSTANDING_ASKED},
	{"… by a peer some way off", 604, 604, 600, 0, 3, 2, 4, OUTSTANDING_ASKED},
	{"… at once, as each before", 604, 604, 604, 0, 3, 2, 4, OUTSTANDING_EITHER},
	{"answered in a tick, as the ones before", 604, 604, 604, 0, 3, 3, 2, OUTSTANDING_NOT},
	{"… the only one", 604, 604, 604, 0, 1, 1, 2, OUTSTANDING_NOT},
	{"… and kept alive since", 7404, 7404, 400, 0, 3, 3, 3, OUTSTANDING_NOT},
};

static void accounts_of_the_kernel(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(accounts) / sizeof(accounts[0]); k++) {
		const struct account *a = &accounts[k];
		const struct tcp_info i = {
			.tcpi_last_data_sent = a->sent,
			.tcpi_last_data_recv = a->received,
			.tcpi_last_ack_recv = a->acknowledged,
			.tcpi_unacked = a->unacked,
			.tcpi_bytes_sent = a->data_out,
			.tcpi_bytes_received = a->data_in,
			.tcpi_data_segs_out = a->data_out,
			.tcpi_data_segs_in = a->data_in,
			.tcpi_segs_in = a->data_in + a->bare_in,
		};

		if (outstanding_state(&i) != a->says)
			print_error("%s\n", a->what);
		assert_int_equal(outstanding_state(&i), a->says);
	}
}

static void asked_and_answered(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	uint64_t ago = 0;
	int listener, client, server;
	char byte;

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	server = accept(listener, NULL, NULL);
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_FRESH);
	assert_int_equal(send(client, "q", 1, 0), 1);
	poll(NULL, 0, PAUSE_MS);
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_FIRST);
	assert_true(ago >= (PAUSE_MS - 10) * 1000000ULL && ago < 60000000000ULL);
	assert_int_equal(outstanding(server, &ago), OUTSTANDING_NOT);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(send(server, "a", 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_NOT);
	poll(NULL, 0, PAUSE_MS);
	assert_int_equal(send(client, "q", 1, 0), 1); /* and again */
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_ASKED);
	/* In the tick of the answer: known as soon as it is acknowledged without another. */
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(send(server, "a", 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	assert_int_equal(send(client, "q", 1, 0), 1);
	for (int i = 0; i < 100 && outstanding(client, &ago) != OUTSTANDING_ASKED; i++)
		poll(NULL, 0, PAUSE_MS);
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_ASKED);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(send(server, "a", 1, 0), 1);
	poll(NULL, 0, 4 * PAUSE_MS);
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_NOT);
	assert_int_equal(outstanding(listener, &ago), OUTSTANDING_NOT);
	assert_int_equal(outstanding(-1, &ago), OUTSTANDING_NOT);
	close(server);
	close(client);
	close(listener);
}

TEST_MAIN(cmocka_unit_test(accounts_of_the_kernel), cmocka_unit_test(asked_and_answered))
