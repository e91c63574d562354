/*
 * probes.c in the running kernel: a child makes calls that are counted here; what is seen and what is lost adds up; nothing stays behind.
 * Where probes cannot be loaded, the reason must be said.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probed.h"
#include "probes/probes.h"
#include "test.h"

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Until the child's calls are over: its last one is a read that waits. */
static void until_waiting(struct probes *p, struct seen *s)
{
	const struct probes_sink sink = {.record = see, .stack = see_stack, .image = see_image, .ctx = s};

	s->waiting = 0;
	for (int i = 0; i < PATIENCE && s->waiting == 0; i++) {
		poll(NULL, 0, 5);
		probes_waiting(p, clock_now(), 20000000, &sink);
	}
	assert_true(s->waiting > 0);
}

static void a_running_process_is_watched(void **state)
{
	struct probes *p = open_probes(false, 0);
	struct child c;
	struct seen s = {0};

	(void)state;
	if (p == NULL)
		return;
	c = child_start(10);
	s.pid = (uint32_t)c.pid;
	assert_int_equal(probes_watch(p, c.pid), 0);
	child_go(&c, 10);
	until_waiting(p, &s);
	assert_true(s.waiting_fd >= 0);
	read_all(p, &s);
	assert_int_equal(s.of[WIRE_WRITE], 10);
	assert_int_equal(s.of[WIRE_READ], 1);
	assert_int_equal(s.of[WIRE_FD_KIND], 1);
	assert_string_equal(s.text, "hello");
	assert_true(s.stacks >= 2);
	/* Nothing of its bytes any more. */
	memset(s.text, 0, sizeof(s.text));
	probes_set_policy(p, s.pid, s.waiting_fd, WIRE_POLICY_SIZES, clock_now());
	child_go(&c, 10);
	until_waiting(p, &s);
	read_all(p, &s);
	assert_int_equal(s.of[WIRE_WRITE], 20);
	assert_string_equal(s.text, "");
	/* Unwatched, it says nothing. */
	probes_unwatch(p, s.pid);
	child_go(&c, 10);
	child_end(&c);
	read_all(p, &s);
	assert_int_equal(s.of[WIRE_WRITE], 20);
	probes_free(p);
}

/* Another thread's word on a connection comes late: its number may be another one's meanwhile. */
static void a_late_word_is_not_the_next_descriptors(void **state)
{
	struct probes *p = open_probes(false, 0);
	struct child c;
	struct seen s = {0};
	uint64_t before;

	(void)state;
	if (p == NULL)
		return;
	c = child_start(1);
	s.pid = (uint32_t)c.pid;
	assert_int_equal(probes_watch(p, c.pid), 0);
	until_waiting(p, &s);
	before = clock_now();
	child_renews(&c);
	until_waiting(p, &s);
	probes_set_policy(p, s.pid, s.waiting_fd, WIRE_POLICY_SIZES, before);
	child_go(&c, 1);
	until_waiting(p, &s);
	read_all(p, &s);
	assert_string_equal(s.text, "hello");
	memset(s.text, 0, sizeof(s.text));
	probes_set_policy(p, s.pid, s.waiting_fd, WIRE_POLICY_SIZES, clock_now());
	child_go(&c, 1);
	until_waiting(p, &s);
	read_all(p, &s);
	assert_int_equal(s.of[WIRE_WRITE], 2);
	assert_string_equal(s.text, "");
	child_end(&c);
	probes_free(p);
}

/* Of a call that moves more than is copied, the end is copied too, where the policy is that of many messages. */
static void a_long_call_has_its_end(void **state)
{
	enum { LONG = 5 * 8000 };
	static char text[LONG] = "first";
	struct probes *p = open_probes(false, 0);
	struct child c;
	struct seen s = {0};

	(void)state;
	if (p == NULL)
		return;
	memcpy(text + LONG - 4, "last", 4);
	c = child_writes(text, LONG, 1);
	s.pid = (uint32_t)c.pid;
	assert_int_equal(probes_watch(p, c.pid), 0);
	until_waiting(p, &s);
	probes_set_policy(p, s.pid, s.waiting_fd, WIRE_POLICY_HEAD_16K, clock_now());
	child_go(&c, LONG / 5);
	until_waiting(p, &s);
	read_all(p, &s);
	assert_int_equal(s.of[WIRE_WRITE], 1);
	assert_int_equal(s.ends, 1);
	child_end(&c);
	probes_free(p);
}

static void seen_and_lost_add_up(void **state)
{
	enum { CALLS = 20000 };
	struct probes *p = open_probes(false, 1U << 16); /* far too small */
	struct child c;
	struct seen s = {0};
	uint64_t told, lost;

	(void)state;
	if (p == NULL)
		return;
	c = child_start(CALLS);
	s.pid = (uint32_t)c.pid;
	assert_int_equal(probes_watch(p, c.pid), 0);
	child_go(&c, CALLS);
	until_waiting(p, &s);
	told = probes_count(p, PROBE_COUNT_TOLD);
	lost = probes_count(p, PROBE_COUNT_FULL);
	read_all(p, &s);
	print_message("%d writes and a read: %zu seen, %llu lost\n", CALLS, s.of[WIRE_WRITE] + s.of[WIRE_READ],
		      (unsigned long long)lost);
	assert_true(lost > 0);
	assert_int_equal(told, s.of[WIRE_WRITE] + s.of[WIRE_READ]);
	assert_int_equal(told + lost, CALLS + 1);
	child_end(&c);
	probes_free(p);
}

static void own_children_are_watched_from_their_exec_on(void **state)
{
	struct probes *p = open_probes(true, 0);
	struct seen s = {0};
	pid_t pid;

	(void)state;
	if (p == NULL)
		return;
	pid = fork();
	if (pid == 0) {
		close(open("/dev/null", O_RDONLY)); /* not of the program */
		execl("/bin/sh", "sh", "-c", "true | cat; exit 3", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	s.pid = (uint32_t)pid;
	read_all(p, &s);
	assert_int_equal(s.images, 1);
	assert_true(s.of[WIRE_FORK] >= 1);
	assert_int_equal(s.of[WIRE_PROCESS_EXIT], 1);
	probes_free(p);
}

static void see_go(void *ctx, const struct probe_call *c, const uint8_t *data)
{
	size_t *called = ctx;

	if (c->kind != PROBE_GO)
		return;
	assert_int_equal(c->nr, GO_NEW_TIMER);
	assert_int_equal(c->tgid, getpid());
	assert_int_equal(c->data_len, sizeof(struct probe_go_timer));
	assert_true(((const struct probe_go_timer *)(const void *)data)->callers[0] != 0);
	(*called)++;
}

static void see_nothing(void *ctx, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data)
{
	(void)ctx;
	(void)pid;
	(void)tid;
	(void)r;
	(void)data;
}

static void see_no_stack(void *ctx, uint32_t pid, uint32_t site, uint64_t mono_ns, const struct probe_stack *stack)
{
	(void)ctx;
	(void)pid;
	(void)site;
	(void)mono_ns;
	(void)stack;
}

static void a_function_is_watched(void **state)
{
	struct probes *p = open_probes(false, 0);
	size_t called = 0;
	const struct probes_sink sink = {
		.record = see_nothing, .stack = see_no_stack, .image = see_image, .go = see_go, .ctx = &called};
	uint64_t offset = 0;

	(void)state;
	if (p == NULL)
		return;
	dl_iterate_phdr(find_marked, &offset);
	assert_true(offset != 0);
	assert_int_equal(probes_go(p, "/proc/self/exe", offset, GO_NEW_TIMER), 0);
	assert_true(probes_go(p, "/nowhere", offset, GO_NEW_TIMER) < 0);
	assert_int_equal(marked(1), 1); /* of a process that nobody watches */
	assert_int_equal(probes_watch(p, getpid()), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(marked(i), i);
	probes_unwatch(p, (uint32_t)getpid());
	probes_read(p, 0, &sink);
	assert_int_equal(called, 5);
	probes_free(p);
	assert_int_equal(marked(2), 2);
}

TEST_MAIN(cmocka_unit_test(a_function_is_watched), cmocka_unit_test(a_running_process_is_watched),
	  cmocka_unit_test(a_late_word_is_not_the_next_descriptors), cmocka_unit_test(a_long_call_has_its_end),
	  cmocka_unit_test(seen_and_lost_add_up), cmocka_unit_test(own_children_are_watched_from_their_exec_on))
