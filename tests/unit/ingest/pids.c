/* pids.c: a process in a pid namespace of its own, and its child, by the numbers they have out here. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/pids.h"
#include "test.h"

#define SECOND 1000000000ULL
#define NOBODY 99999U

struct family {
	pid_t first, child; /* as they are called out here */
	int to_first[2];
};

/* The namespace's first process makes a child, and waits until it is told to end it. */
static void live_inside(int in, int out)
{
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);

	const pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	(void)!write(out, &byte, 1);
	(void)!read(in, &byte, 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	(void)!write(out, &byte, 1);
	(void)!read(in, &byte, 1);
	_exit(0);
}

static pid_t only_child(pid_t of)
{
	char path[64];
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)of, (int)of);

	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &child), 1);
	fclose(f);
	return child;
}

/* Its number in there: not always 2, where threads have numbers too. */
static uint32_t number_inside(pid_t pid)
{
	char path[64], line[256];
	uint32_t inner = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);

	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "NSpid:", 6) == 0)
			inner = (uint32_t)strtoul(strrchr(line, '\t'), NULL, 10);
	fclose(f);
	return inner;
}

static void tell(struct family *f)
{
	assert_int_equal(write(f->to_first[1], "x", 1), 1);
}

static int family_make(struct family *f, int *ret_heard)
{
	int from[2];
	char byte;

	assert_int_equal(pipe(f->to_first), 0);
	assert_int_equal(pipe(from), 0);

	const pid_t outside = fork();

	if (outside == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID) != 0)
			_exit(1);
		const pid_t first = fork();

		if (first == 0)
			live_inside(f->to_first[0], from[1]);
		waitpid(first, NULL, 0);
		_exit(0);
	}
	close(from[1]);
	*ret_heard = from[0];
	if (read(from[0], &byte, 1) != 1) {
		waitpid(outside, NULL, 0);
		return -1; /* not allowed to */
	}
	f->first = only_child(outside);
	f->child = only_child(f->first);
	return 0;
}

static void test_family(void **state)
{
	struct family f;
	struct pids *p = pids_new();
	char byte;
	int heard;

	(void)state;
	assert_non_null(p);
	if (family_make(&f, &heard) < 0) {
		print_message("SKIP: no right to make a pid namespace\n");
		pids_free(p);
		skip();
	}

	const uint32_t ns = pids_namespace((uint32_t)f.first);
	const uint32_t inner = number_inside(f.child);

	assert_true(ns > 0);
	assert_int_equal(pids_namespace((uint32_t)getpid()), 0);
	assert_int_equal(pids_outside(p, 0, 17, 0, true, SECOND), 17);
	/* Nobody knows its parent yet, and nobody is to be asked. */
	assert_int_equal(pids_outside(p, ns, inner, 1, false, SECOND), inner | PIDS_UNKNOWN);
	pids_know(p, ns, (uint32_t)f.first);
	assert_int_equal(pids_outside(p, ns, 1, 0, false, SECOND), f.first);
	assert_int_equal(pids_outside(p, ns, inner, 1, false, SECOND), f.child);
	assert_int_equal(pids_outside(p, ns, NOBODY, 1, false, SECOND), NOBODY | PIDS_UNKNOWN);

	struct pids *stranger = pids_new();

	assert_int_equal(pids_outside(stranger, ns, inner, 0, true, SECOND), f.child);
	/* The next search waits a moment. */
	assert_int_equal(pids_outside(stranger, ns, 1, 0, true, SECOND + 1), 1 | PIDS_UNKNOWN);
	assert_int_equal(pids_outside(stranger, ns, 1, 0, true, 2 * SECOND), f.first);
	pids_free(stranger);

	tell(&f);
	assert_int_equal(read(heard, &byte, 1), 1); /* the child is gone */
	assert_int_equal(pids_outside(p, ns, inner, 1, true, 2 * SECOND), f.child);
	assert_int_equal(pids_outside(p, ns, inner, 1, true, 100 * SECOND), inner | PIDS_UNKNOWN);
	tell(&f);
	assert_int_equal(wait(NULL) > 0, 1);
	close(heard);
	close(f.to_first[0]);
	close(f.to_first[1]);
	pids_free(p);
}

TEST_MAIN(cmocka_unit_test(test_family))
