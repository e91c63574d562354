/*
 * tcp_watch.c: what the kernel counts of this process comes out of ingest as events, by a round of samples. Where nothing can be loaded, nothing
 * is said, and nothing else changes.
 */
#include "commands/tcp_watch.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/counters.h"
#include "core/samples.h"
#include "probes/probes.h"
#include "test.h"

#define PATIENCE 3000 /* times 20 ms */

struct seen {
	uint16_t port;
	uint64_t server, client;
};

static void see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;
	struct sample_tcp t;
	struct sockaddr_in in;

	if (e->id != WIRE_SAMPLE_TCP || e->data_len < sizeof(t))
		return;
	memcpy(&t, e->data, sizeof(t));
	memcpy(&in, t.address, sizeof(in));
	if (e->a0 == WIRE_ROLE_SERVER)
		s->server = t.established;
	else if (in.sin_port == s->port)
		s->client = t.established;
}

static void connect_once(const struct sockaddr_in *to, int listener)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)), 0);
	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(fd);
}

static void connections_become_events(void **state)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4, .samples = true};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct counters counters = {0};
	socklen_t len = sizeof(at);
	struct seen s = {0};
	struct tcp_watch *t;
	struct ingest *in;
	char why[256];

	(void)state;
	assert_int_equal(ingest_new(&o, NULL, &counters, &in), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	s.port = at.sin_port;
	assert_int_equal(ingest_adopt(in, (uint32_t)getpid()), 0);
	t = tcp_watch_new(in, &(struct tcp_watch_options){.now = true});
	assert_non_null(t);
	/* The first rounds make process and port known. */
	for (int i = 0; i < PATIENCE && (s.server == 0 || s.client == 0) && probes_check(why, sizeof(why)) == 0; i++) {
		connect_once(&at, listener);
		poll(NULL, 0, 20);
		ingest_poll(in, false, see, &s, &(unsigned int){0});
		tcp_watch_flush(t);
	}
	if (probes_check(why, sizeof(why)) == 0) {
		print_message("%llu connections by the client, %llu by the server\n", (unsigned long long)s.client,
			      (unsigned long long)s.server);
		assert_true(s.client > 0 && s.server > 0);
	} else {
		ingest_poll(in, true, see, &s, &(unsigned int){0});
		assert_int_equal(s.client + s.server, 0);
	}
	tcp_watch_free(t);
	tcp_watch_flush(NULL);
	tcp_watch_free(NULL);
	ingest_poll(in, true, see, &s, &(unsigned int){0}); /* nobody is asked any more */
	ingest_free(in);
	close(listener);
}

TEST_MAIN(cmocka_unit_test(connections_become_events))
