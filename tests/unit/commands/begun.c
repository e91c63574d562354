/* begun.c: a child that waited already is told to ingest for as long as it does. */
#include "commands/begun.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/counters.h"
#include "test.h"

#define PATIENCE 2000

static void count(void *ctx, const struct event *e)
{
	*(size_t *)ctx += e->id == WIRE_INFLIGHT && e->a0 == WIRE_READ;
}

static void until_it_is_over(void **state)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4};
	struct counters counters = {0};
	static struct begun b;
	struct ingest *in;
	unsigned int wait_ms;
	size_t told = 0;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(recv(ends[1], &byte, 1, 0) == 1 ? 0 : 1);
	}
	for (int i = 0; b.n == 0 && i < PATIENCE; i++) {
		begun_note(&b, pid);
		if (b.n != 0 && b.all[0].call.args[0] != (uint64_t)ends[1])
			b.n = 0; /* not in that call yet */
		poll(NULL, 0, 1);
	}
	assert_int_equal(b.n, 1);
	assert_int_equal(ingest_new(&o, NULL, &counters, &in), 0);
	begun_tell(&b, in);
	begun_tell(&b, in); /* within the same second: once */
	ingest_poll(in, true, count, &told, &wait_ms);
	assert_int_equal(told, 1);
	assert_int_equal(b.n, 1);
	assert_int_equal(send(ends[0], "x", 1, 0), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	b.next_ns = 0;
	begun_tell(&b, in);
	assert_int_equal(b.n, 0);
	begun_note(&b, pid); /* it is gone */
	assert_int_equal(b.n, 0);
	ingest_free(in);
	close(ends[0]);
	close(ends[1]);
}

TEST_MAIN(cmocka_unit_test(until_it_is_over))
