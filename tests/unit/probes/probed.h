/*
 * For the tests of probes.c: probes that are loaded, what they say of one process, and children that make calls when they are told to.
 */
#ifndef GAPSCOPE_TESTS_UNIT_PROBES_PROBED_H
#define GAPSCOPE_TESTS_UNIT_PROBES_PROBED_H

#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process_call.h"
#include "probes/probes.h"
#include "test.h"

#define PATIENCE 2000
#define RENEW 'r'
#define RENEWED 500 /* a descriptor that is free */

struct seen {
	uint32_t pid;
	struct probes *rests; /* its first program is to rest, and what is forked */
	size_t of[256];
	size_t stacks, images, waiting, ends;
	int waiting_fd;
	uint64_t last_t1;
	char text[64];
};

static inline void see(void *ctx, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data)
{
	struct seen *s = ctx;

	(void)tid;
	if (s->rests != NULL && r->event == WIRE_FORK_CHILD) {
		probes_rest(s->rests, pid);
		s->pid = pid;
	}
	if (pid != s->pid)
		return;
	assert_true(r->event < 256);
	assert_true(r->t0 <= r->t1);
	/* Also of one that was under way when the process began to be watched. */
	assert_true(r->site != 0 || (r->event != WIRE_READ && r->event != WIRE_WRITE));
	s->of[r->event]++;
	if (r->event == WIRE_INFLIGHT) {
		s->waiting++;
		s->waiting_fd = r->fd;
	}
	if (r->event == WIRE_WRITE && (r->flags & WIRE_F_TAIL))
		s->ends +=
			r->data_len == WIRE_DATA_MAX && !memcmp(data, "first", 5) && !memcmp(data + WIRE_DATA_MAX - 4, "last", 4);
	if (r->event == WIRE_WRITE && r->data_len > 0 && r->data_len < sizeof(s->text))
		memcpy(s->text, data, r->data_len);
}

static inline void see_stack(void *ctx, uint32_t pid, uint32_t site, uint64_t mono_ns, const struct probe_stack *stack)
{
	struct seen *s = ctx;

	(void)mono_ns;
	if (pid != s->pid)
		return;
	assert_true(site != 0);
	/* The kernel's own walk may be in use by a probe of another session on this processor. */
	assert_true(stack->frames > 0 || stack->bytes_len > 0);
	s->stacks++;
}

static inline void see_image(void *ctx, uint32_t pid, const struct wire_record *start, const uint8_t *data, uint64_t code)
{
	struct seen *s = ctx;

	(void)start;
	(void)data;
	assert_true(code != 0);
	s->images += pid == s->pid;
	if (s->rests != NULL && s->images == 1)
		probes_rest(s->rests, pid);
}

static inline size_t read_all(struct probes *p, struct seen *s)
{
	const struct probes_sink sink = {.record = see, .stack = see_stack, .image = see_image, .ctx = s};

	return probes_read(p, 0, &sink);
}

/* Probes, or NULL where they cannot be: then the reason was checked. */
static inline struct probes *open_probes(bool own_children, uint32_t ring_bytes)
{
	const struct probes_options o = {.own_children = own_children, .ring_bytes = ring_bytes};
	struct probes *p = NULL;
	char why[256] = "";
	const int e = probes_open(&o, &p, why, sizeof(why));

	if (e == 0) {
		assert_int_equal(probes_check(why, sizeof(why)), 0);
		return p;
	}
	assert_null(p);
	assert_true(why[0] != '\0');
	print_message("no probes here: %s\n", why);
	/* A root's probes must load on the machines that this is tested on. */
	assert_true(geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0 || strstr(why, "CAP_BPF") != NULL);
	return NULL;
}

/* Its call is the one that the kernel says it waits in. */
static inline bool waits_in(pid_t pid, int call)
{
	struct process_call c;

	return process_call(pid, pid, &c) == PROCESS_CALL_IN && c.nr == call;
}

/* A child that waits for a byte, writes n times, and waits again. */
struct child {
	pid_t pid;
	int go; /* our end of its socket */
};

static inline struct child child_writes(const char *text, size_t len, unsigned int n)
{
	int ends[2];
	struct child c;
	char ready;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	c.go = ends[0];
	c.pid = fork();
	if (c.pid == 0) {
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		if (write(ends[1], "r", 1) != 1)
			_exit(1);
		while (read(ends[1], &byte, 1) == 1) {
			/* The same connection under the same number, and yet another descriptor. */
			if (byte == RENEW && (dup2(ends[1], RENEWED) != RENEWED || dup2(RENEWED, ends[1]) != ends[1]))
				_exit(1);
			for (unsigned int i = 0; byte != RENEW && i < n; i++) {
				if (write(ends[1], text, len) != (ssize_t)len)
					_exit(1);
			}
		}
		_exit(0);
	}
	close(ends[1]);
	/* From here on it does nothing but what it is told to. */
	assert_int_equal(read(c.go, &ready, 1), 1);
	for (int i = 0; i < PATIENCE && !waits_in(c.pid, SYS_read); i++)
		poll(NULL, 0, 1);
	return c;
}

static inline struct child child_start(unsigned int n)
{
	return child_writes("hello", 5, n);
}

static inline void child_go(const struct child *c, unsigned int n)
{
	char buffer[4096];
	size_t left = (size_t)n * 5;

	assert_int_equal(write(c->go, "g", 1), 1);
	while (left > 0) {
		const ssize_t got = read(c->go, buffer, sizeof(buffer) < left ? sizeof(buffer) : left);

		assert_true(got > 0);
		left -= (size_t)got;
	}
}

static inline void child_renews(const struct child *c)
{
	const char byte = RENEW;

	assert_int_equal(write(c->go, &byte, 1), 1);
}

static inline void child_end(struct child *c)
{
	close(c->go);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

/* A function of this program, in place of one of a Go program's or an allocator's. */
__attribute__((noinline, unused)) static int marked(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline int find_marked(struct dl_phdr_info *info, size_t size, void *ret)
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

#endif
