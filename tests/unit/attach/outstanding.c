/* outstanding.c: a connection on loopback that asks, and is answered. */
#include "attach/outstanding.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#define PAUSE_MS 30 /* more than the kernel's clock for this is coarse */

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
	assert_int_equal(outstanding(client, &ago), OUTSTANDING_ASKED);
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

TEST_MAIN(cmocka_unit_test(asked_and_answered))
