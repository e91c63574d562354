/* reading.c: children that wait in one call or another. */
#include "attach/reading.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define PATIENCE_MS 10000
#define FIRST 40 /* descriptors in the children */
#define SECOND 41

enum way { RECV, POLL, POLL_BOTH, POLL_TO_WRITE, SLEEP, TWO_THREADS };

static void *other(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

static void wait_so(enum way way)
{
	struct pollfd set[2] = {{.fd = FIRST, .events = POLLIN}, {.fd = SECOND, .events = POLLIN}};
	pthread_t thread;
	char byte;

	if (way == TWO_THREADS && pthread_create(&thread, NULL, other, NULL) != 0)
		_exit(1);
	if (way == POLL || way == POLL_BOTH)
		(void)poll(set, way == POLL ? 1 : 2, -1);
	if (way == POLL_TO_WRITE) {
		set[0].events = POLLPRI;
		(void)poll(set, 1, -1);
	}
	if (way == SLEEP)
		pause();
	(void)!recv(FIRST, &byte, 1, 0);
	_exit(0);
}

static pid_t child(enum way way, const int *pair)
{
	/* Not fork(): in the child of one, ThreadSanitizer starts a thread of its own, and which thread reads is then not known. */
	const pid_t pid = _Fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(pair[0], FIRST) != FIRST || dup2(pair[0], SECOND) != SECOND)
		_exit(1);
	wait_so(way);
	_exit(1);
}

/* Sleeps, as its state in /proc says. */
static void until_it_waits(pid_t pid)
{
	char line[256], state = 'R';

	for (int i = 0; i < PATIENCE_MS && state != 'S'; i++) {
		char stat[64];
		FILE *f;

		snprintf(stat, sizeof(stat), "/proc/%d/stat", (int)pid);
		f = fopen(stat, "re");
		assert_non_null(f);
		assert_non_null(fgets(line, sizeof(line), f));
		fclose(f);
		state = strrchr(line, ')')[2];
		poll(NULL, 0, 1);
	}
	assert_int_equal(state, 'S');
}

static void test_ways(void **state)
{
	static const struct {
		enum way way;
		bool reads;
	} cases[] = {{RECV, true}, {POLL, true}, {POLL_BOTH, false}, {POLL_TO_WRITE, false}, {SLEEP, false}, {TWO_THREADS, false}};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const pid_t pid = child(cases[i].way, pair);

		until_it_waits(pid);
		if (cases[i].reads) /* it may have waited for memory, before */
			for (int k = 0; k < PATIENCE_MS && !reading(pid, FIRST); k++)
				poll(NULL, 0, 1);
		assert_int_equal(reading(pid, FIRST), cases[i].reads);
		assert_false(reading(pid, SECOND));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_false(reading(pid, FIRST));
	}
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ways)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
