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

#define KERNEL_PATIENCE 12000 /* times 5 ms: it waits until each processor has been idle or switched */

/* Until the child's calls are over: its last one is a read that waits. */
static void until_waiting(struct probes *p, struct seen *s)
{
	const struct probes_sink sink = {.record = see, .stack = see_stack, .image = see_image, .ctx = s};
	struct timespec now;

	s->waiting = 0;
	for (int i = 0; i < PATIENCE && s->waiting == 0; i++) {
		poll(NULL, 0, 5);
		clock_gettime(CLOCK_MONOTONIC, &now);
		probes_waiting(p, (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec, 20000000, &sink);
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
	probes_set_policy(p, s.pid, s.waiting_fd, WIRE_POLICY_SIZES);
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

/* The programs that descriptors of a process hold. */
static size_t programs_of(pid_t pid, uint32_t *ids, size_t max)
{
	char path[300], line[128];
	const struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, entry->d_name);
		f = fopen(path, "re");
		while (f != NULL && n < max && fgets(line, sizeof(line), f) != NULL)
			n += sscanf(line, "prog_id: %u", &ids[n]) == 1 ? 1 : 0;
		if (f != NULL)
			fclose(f);
	}
	closedir(d);
	return n;
}

static size_t still_there(const uint32_t *ids, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		const int fd = bpf_prog_get_fd_by_id(ids[i]);

		left += fd >= 0 ? 1 : 0;
		if (fd >= 0)
			close(fd);
	}
	return left;
}

static void a_killed_agent_leaves_nothing(void **state)
{
	uint32_t ids[64];
	size_t n, left;
	int ready[2];
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], open_probes(false, 0) != NULL ? "y" : "n", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	n = programs_of(pid, ids, sizeof(ids) / sizeof(ids[0]));
	if (byte == 'y') {
		assert_true(n >= 6);
		assert_true(still_there(ids, n) == n);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	left = still_there(ids, n);
	/* The kernel takes its time: a worker of it frees them. */
	for (int i = 0; i < KERNEL_PATIENCE && left > 0; i++) {
		poll(NULL, 0, 5);
		left = still_there(ids, n);
	}
	print_message("%zu programs while it lived, %zu afterwards\n", n, left);
	assert_int_equal(left, 0);
	close(ready[0]);
	close(ready[1]);
}

/* A function of this program, in place of one of a Go program. */
__attribute__((noinline)) static int marked(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static int find_marked(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint64_t at = (uint64_t)(uintptr_t)marked - info->dlpi_addr;

		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at - p->p_vaddr < p->p_filesz)
			*(uint64_t *)ret = at - p->p_vaddr + p->p_offset;
	}
	return *(uint64_t *)ret != 0;
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
	  cmocka_unit_test(seen_and_lost_add_up), cmocka_unit_test(own_children_are_watched_from_their_exec_on),

	  cmocka_unit_test(a_killed_agent_leaves_nothing))
