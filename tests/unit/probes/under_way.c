/* under_way.c: children that wait in a call; in which, and for how long at most, is read from outside. */
#include "probes/under_way.h"

#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/process_call.h"

#include "test.h"

#define PATIENCE 2000
#define SLACK_NS 50000000 /* the two clocks do not run alike */

enum way { BY_POLL, BY_PPOLL, BY_RECV, BY_SLEEP, BY_FUTEX, BY_FUTEX_CLEANER };

static pid_t child_start(enum way way, int ends[2])
{
	const struct timespec limit = {.tv_sec = 33, .tv_nsec = 5};
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		struct pollfd set[2] = {{.fd = ends[1], .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
		struct timespec until;
		uint32_t word = 0;
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (way == BY_POLL)
			(void)poll(set, 1, 44000);
		else if (way == BY_PPOLL)
			(void)ppoll(set, 2, &limit, NULL);
		else if (way == BY_RECV)
			(void)recv(ends[1], &byte, 1, 0);
		else if (way == BY_FUTEX || way == BY_FUTEX_CLEANER) {
			if (way == BY_FUTEX_CLEANER)
				prctl(PR_SET_NAME, "Common-Cleaner");
			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_sec += limit.tv_sec;
			(void)syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &until, NULL,
				      FUTEX_BITSET_MATCH_ANY);
		} else
			(void)nanosleep(&limit, NULL);
		_exit(0);
	}
	return pid;
}

static void child_end(pid_t pid, int ends[2])
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	close(ends[1]);
}

static void what_children_wait_for(void **state)
{
	static const struct {
		enum way way;
		uint16_t event;
		int64_t limit;
		uint32_t set;
	} rows[] = {
		{BY_POLL, WIRE_POLL, 44000000000, 1},   {BY_PPOLL, WIRE_POLL, 33000000005, 2},      {BY_RECV, WIRE_READ, -1, 0},
		{BY_SLEEP, WIRE_SLEEP, 33000000005, 0}, {BY_FUTEX, WIRE_COND_WAIT, 33000000005, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct probe_slot s = {0};
		struct under_way_record r;
		uint64_t sp = 0;
		int ends[2], tries = 0;
		const pid_t pid = child_start(rows[i].way, ends);

		/* The kernel tells nobody when it waits. */
		while ((!under_way(pid, pid, &s, &sp) || !under_way_record(&s, s.t0 + 5, &r) || r.record.a0 != rows[i].event) &&
		       tries++ < PATIENCE)
			poll(NULL, 0, 1);
		assert_true(tries < PATIENCE);
		assert_int_equal(r.record.event, WIRE_INFLIGHT);
		assert_true(r.record.t0 == s.t0 && r.record.t1 == s.t0 + 5);
		/* Of a moment that was named it is told what is left; or all of it, where the scheduler knows when it began. */
		assert_true(rows[i].way == BY_FUTEX ? (int64_t)r.record.a1 > 0 && (int64_t)r.record.a1 <= rows[i].limit + SLACK_NS
						    : (int64_t)r.record.a1 == rows[i].limit);
		assert_int_equal(r.record.flags & ~(unsigned int)WIRE_F_DATED, rows[i].way == BY_FUTEX ? WIRE_F_BEFORE : 0);
		assert_true(rows[i].way == BY_FUTEX || r.record.flags == 0);
		assert_int_equal(r.record.data_len, rows[i].set * sizeof(struct wire_pollfd));
		if (rows[i].set > 0)
			assert_int_equal(r.set[0].fd, ends[1]);
		if (rows[i].way == BY_POLL || rows[i].way == BY_RECV)
			assert_int_equal(r.record.fd, ends[1]);
		assert_int_equal(under_way_still(&s, sp), UNDER_WAY_STILL);
		assert_int_equal(under_way_still(&s, sp + 8), UNDER_WAY_OVER);
		/* Stopped and continued it goes on, by whatever name. */
		assert_int_equal(kill(pid, SIGSTOP), 0);
		assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
		assert_int_equal(kill(pid, SIGCONT), 0);
		for (tries = 0; under_way_still(&s, sp) != UNDER_WAY_STILL && tries < PATIENCE; tries++)
			poll(NULL, 0, 1);
		assert_true(tries < PATIENCE);
		child_end(pid, ends);
		assert_int_equal(under_way_still(&s, sp), UNDER_WAY_OVER);
		assert_false(under_way(pid, pid, &s, &sp));
	}
}

/* A JVM's own thread looks after its objects. */
static void what_keeps_house(void **state)
{
	struct process_call c = {0};
	struct probe_slot s;
	uint64_t sp;
	int ends[2], tries = 0;
	const pid_t pid = child_start(BY_FUTEX_CLEANER, ends);

	(void)state;
	while ((process_call(pid, pid, &c) != PROCESS_CALL_IN || c.nr != SYS_futex) && tries++ < PATIENCE)
		poll(NULL, 0, 1);
	assert_true(tries < PATIENCE);
	assert_false(under_way(pid, pid, &s, &sp));
	child_end(pid, ends);
}

TEST_MAIN(cmocka_unit_test(what_children_wait_for), cmocka_unit_test(what_keeps_house))
