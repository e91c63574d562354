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

/* A child that waits in recv(ends[1]); it spins once it was sent "s", else it ends. */
static pid_t child_waits(struct begun *b, const struct ingest *in, int ends[2])
{
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		char byte = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (recv(ends[1], &byte, 1, 0) != 1)
			_exit(1);
		while (byte == 's')
			__asm__ volatile("");
		_exit(0);
	}
	b->n = 0;
	b->next_ns = 0;
	for (int i = 0; b->n == 0 && i < PATIENCE; i++) {
		begun_note(b, in, pid);
		if (b->n != 0 && b->all[0].call.args[0] != (uint64_t)ends[1])
			b->n = 0; /* not in that call yet */
		poll(NULL, 0, 1);
	}
	assert_int_equal(b->n, 1);
	return pid;
}

static void child_end(pid_t pid, const int ends[2])
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	close(ends[1]);
}

static struct ingest *new_ingest(struct counters *counters)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4};
	struct ingest *in;

	assert_int_equal(ingest_new(&o, NULL, counters, &in), 0);
	return in;
}

static void until_it_is_over(void **state)
{
	struct counters counters = {0};
	static struct begun b;
	struct ingest *in = new_ingest(&counters);
	unsigned int wait_ms;
	size_t told = 0;
	int ends[2];
	const pid_t pid = child_waits(&b, in, ends);

	(void)state;
	begun_note(&b, in, pid); /* again: it is noted already */
	assert_int_equal(b.n, 1);
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
	begun_note(&b, in, pid); /* it is gone */
	assert_int_equal(b.n, 0);
	ingest_free(in);
	close(ends[0]);
	close(ends[1]);
}

/* Interrupted, it may go on with its call: it is looked at again, but not for ever. */
static void a_thread_that_runs(void **state)
{
	struct counters counters = {0};
	static struct begun b;
	struct ingest *in = new_ingest(&counters);
	unsigned int wait_ms, looks = 0;
	size_t told = 0;
	int ends[2];
	const pid_t pid = child_waits(&b, in, ends);

	(void)state;
	assert_int_equal(send(ends[0], "s", 1, 0), 1);
	for (int i = 0; under_way_still(&b.all[0].call, b.all[0].sp) != UNDER_WAY_RUNS && i < PATIENCE; i++)
		poll(NULL, 0, 1);
	for (; b.n != 0 && looks < 100; looks++) {
		b.next_ns = 0;
		begun_tell(&b, in);
		assert_true(b.n == 0 || b.next_ns != 0);
	}
	assert_true(looks > 1 && looks < 100);
	ingest_poll(in, true, count, &told, &wait_ms);
	assert_int_equal(told, 0);
	child_end(pid, ends);
	ingest_free(in);
}

/* What a hook has seen begin is told from its slot. */
static void what_a_hook_tells(void **state)
{
	struct counters counters = {0};
	static struct begun b;
	struct ingest *in = new_ingest(&counters);
	struct wire_thread *t = wire_thread_at(ingest_shared(in), 1);
	int ends[2];
	const pid_t pid = child_waits(&b, in, ends);

	(void)state;
	t->pid = t->tid = (uint32_t)pid;
	atomic_store(&t->state, WIRE_SLOT_LIVE);
	assert_false(ingest_in_flight(in, (uint32_t)pid, (uint32_t)pid));
	begun_tell(&b, in);
	assert_int_equal(b.n, 1);
	atomic_store(&t->inflight.event, WIRE_READ);
	assert_true(ingest_in_flight(in, (uint32_t)pid, (uint32_t)pid));
	assert_false(ingest_in_flight(in, (uint32_t)pid + 1, (uint32_t)pid + 1));
	b.next_ns = 0;
	begun_tell(&b, in);
	assert_int_equal(b.n, 0);
	begun_note(&b, in, pid);
	assert_int_equal(b.n, 0);
	atomic_store(&t->inflight.event, 0);
	child_end(pid, ends);
	ingest_free(in);
}

TEST_MAIN(cmocka_unit_test(until_it_is_over), cmocka_unit_test(a_thread_that_runs), cmocka_unit_test(what_a_hook_tells))
