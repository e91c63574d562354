/*
 * probes.c: what is said of a process is said of the program that it runs, whichever that is by the time that the agent has heard of it.
 */
#include "probed.h"

/* A shell that goes on to a program that echoes, as a child of this process or of the shell's. */
static struct child echo_start(const char *script)
{
	int ends[2];
	struct child c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	c.go = ends[0];
	c.pid = fork();
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return c;
}

static void echo(const struct child *c)
{
	char got[2];

	assert_int_equal(write(c->go, "x\n", 2), 2);
	assert_int_equal(read(c->go, got, 2), 2);
}

/* Its n writes are told, and no more than n. Of a write, the record may come after its bytes have arrived. */
static void read_writes(struct probes *p, struct seen *s, size_t n)
{
	read_all(p, s);
	for (int i = 0; i < PATIENCE && s->of[WIRE_WRITE] < n; i++) {
		poll(NULL, 0, 1);
		read_all(p, s);
	}
	assert_int_equal(s->of[WIRE_WRITE], n);
}

/* An agent that is late: of the word that a program is to rest, the one that came after it knows nothing. */
static void what_rests_is_a_program(void **state)
{
	struct probes *p = open_probes(true, 0);
	struct child c;
	struct seen s = {.rests = p};

	(void)state;
	if (p == NULL)
		return;
	c = echo_start("exec cat");
	s.pid = (uint32_t)c.pid;
	echo(&c); /* it is the second one */
	read_writes(p, &s, 1);
	assert_int_equal(s.images, 2);
	echo(&c);
	read_writes(p, &s, 2);
	child_end(&c);
	probes_free(p);
}

/* What the shell forks says `after` writes in all, one of them before the agent reads that it was forked. */
static void forked(const char *script, size_t after)
{
	struct probes *p = open_probes(true, 0);
	struct child c;
	struct seen s = {.rests = p};

	if (p == NULL)
		return;
	c = echo_start(script);
	s.pid = (uint32_t)c.pid;
	echo(&c);
	read_writes(p, &s, 1);
	assert_int_not_equal(s.pid, c.pid);
	echo(&c);
	read_writes(p, &s, after);
	child_end(&c);
	probes_free(p);
}

static void a_copy_rests_until_it_is_another_program(void **state)
{
	(void)state;
	forked("(read x; echo $x; read x; echo $x); true", 1);
	forked("cat; true", 2);
}

/* There was no room to tell that a program began: it is told before anything else of it, and what it did until then is counted. */
static void what_began_unseen_is_told_later(void **state)
{
	struct probes *p = open_probes(true, 1U << 16);
	struct child c, noisy;
	struct seen s = {0};
	uint64_t lost;

	(void)state;
	if (p == NULL)
		return;
	noisy = child_start(2000);
	assert_int_equal(probes_watch(p, noisy.pid), 0);
	child_go(&noisy, 2000);
	lost = probes_count(p, PROBE_COUNT_FULL);
	assert_true(lost > 0);
	c = echo_start("exec cat");
	s.pid = (uint32_t)c.pid;
	echo(&c);
	for (int i = 0; i < PATIENCE && probes_count(p, PROBE_COUNT_FULL) <= lost + 2; i++)
		poll(NULL, 0, 1);
	assert_true(probes_count(p, PROBE_COUNT_FULL) > lost + 2);
	read_all(p, &s);
	assert_int_equal(s.images, 0);
	echo(&c);
	read_writes(p, &s, 1);
	assert_int_equal(s.images, 1);
	child_end(&c);
	child_end(&noisy);
	probes_free(p);
}

/* Programs that begin make each call from another place: the stacks of all of them would not leave room for the calls. */
static void stacks_leave_room_for_calls(void **state)
{
	struct probes *p = open_probes(true, 1U << 16);
	struct child c;
	struct seen s = {0};

	(void)state;
	if (p == NULL)
		return;
	c = echo_start("exec cat");
	s.pid = (uint32_t)c.pid;
	echo(&c);
	assert_true(probes_count(p, PROBE_COUNT_NO_STACK) > 0);
	assert_int_equal(probes_count(p, PROBE_COUNT_FULL), 0);
	read_writes(p, &s, 1);
	assert_true(s.stacks > 0);
	child_end(&c);
	probes_free(p);
}

TEST_MAIN(cmocka_unit_test(what_rests_is_a_program), cmocka_unit_test(a_copy_rests_until_it_is_another_program),
	  cmocka_unit_test(what_began_unseen_is_told_later), cmocka_unit_test(stacks_leave_room_for_calls))
