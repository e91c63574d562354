/* probing.c: a running process by the kernel's probes, through ingest: its start, its modules, its calls. Without privilege: the reason. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/probing.h"
#include "core/counters.h"
#include "test.h"

struct seen {
	uint32_t pid;
	size_t starts, modules, writes, gone, stacks, bytes;
};

#define RENEW 'n'
#define MS_NS 1000000U
#define SPARE 500 /* a descriptor that is free */

static void see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;

	if (e->pid != s->pid)
		return;
	s->starts += e->id == WIRE_PROCESS_START;
	s->modules += e->id == WIRE_MODULE;
	s->writes += e->id == WIRE_WRITE;
	s->bytes += e->id == WIRE_WRITE ? e->data_len : 0;
	s->stacks += e->id == WIRE_WRITE && e->stack != 0;
	s->gone += e->id == WIRE_PROCESS_GONE;
}

static pid_t child_start(int ends[2])
{
	pid_t pid;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		while (write(ends[1], "r", 1) == 1 && read(ends[1], &byte, 1) == 1) {
			/* The same connection under the same number, and yet another descriptor. */
			if (byte == RENEW && (dup2(ends[1], SPARE) != SPARE || dup2(SPARE, ends[1]) != ends[1]))
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	return pid;
}

/* It writes a byte; returns how many of it were copied. */
static size_t round_of(struct ingest *in, const int ends[2], char what, struct seen *s)
{
	const size_t before = s->bytes;
	char byte;

	assert_int_equal(write(ends[0], &what, 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	ingest_poll(in, true, see, s, NULL);
	return s->bytes - before;
}

/* Times of events are times of day, those of the probes are not: a late word of an earlier descriptor is known by them all the same. */
static void a_late_word_is_known_by_its_time(struct probing *p, struct ingest *in, pid_t pid, const int ends[2], struct seen *s)
{
	const uint64_t before = ingest_now_ns(in) - MS_NS;

	(void)round_of(in, ends, RENEW, s);
	probing_policy(p, pid, ends[1], WIRE_POLICY_SIZES, before);
	assert_int_equal(round_of(in, ends, 'g', s), 1);
	probing_policy(p, pid, ends[1], WIRE_POLICY_SIZES, ingest_now_ns(in) + MS_NS);
	assert_int_equal(round_of(in, ends, 'g', s), 0);
}

static void a_process_is_watched_through_ingest(void **state)
{
	const struct ingest_options o = {.process_max = 8, .thread_max = 16, .stacks = true};
	struct counters counters = {0};
	struct stacks *stacks = stacks_new();
	struct probing *p = NULL;
	struct seen s = {0};
	struct ingest *in;
	char why[256] = "", byte;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(ingest_new(&o, stacks, &counters, &in), 0);
	if (probing_open(in, false, &p, why, sizeof(why)) < 0) {
		print_message("no probes here: %s\n", why);
		assert_true(why[0] != '\0');
		assert_null(p);
		assert_false(probing_has(p, 1));
	} else {
		pid = child_start(ends);
		s.pid = (uint32_t)pid;
		assert_int_equal(probing_watch(p, pid, why, sizeof(why)), 0);
		assert_true(probing_has(p, pid));
		assert_int_equal(ingest_live(in), 1);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(write(ends[0], "g", 1), 1);
			assert_int_equal(read(ends[0], &byte, 1), 1);
		}
		a_late_word_is_known_by_its_time(p, in, pid, ends, &s);
		close(ends[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		ingest_poll(in, true, see, &s, NULL);
		ingest_poll(in, true, see, &s, NULL);
		assert_int_equal(s.starts, 1);
		assert_true(s.modules >= 1);
		assert_int_equal(s.writes, 5 + 3);
		assert_true(s.stacks >= 5);
		assert_int_equal(s.gone, 1);
		assert_int_equal(counters.lost[WIRE_LOSS_PROBE_FULL], 0);
	}
	probing_close(p);
	ingest_free(in);
	stacks_free(stacks);
}

TEST_MAIN(cmocka_unit_test(a_process_is_watched_through_ingest))
