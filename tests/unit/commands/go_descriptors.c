/* go_descriptors.c: notes that a Go runtime keeps of its descriptors, in the test's own memory, registered with a real epoll instance. */
#include "commands/go_descriptors.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "go_runtime.h"

#define FD 7
#define READ_DUE 1111U
#define WRITE_DUE 2222U

/* Of a version whose timers have so many words. */
static void note(uint64_t *n, int fd, size_t head, size_t timer)
{
	memset(n, 0, 40 * sizeof(*n));
	n[1] = (uint64_t)fd;
	n[head + 1 + timer] = READ_DUE;
	n[head + 3 + 2 * timer] = WRITE_DUE;
	n[head + 4 + 2 * timer] = go_at(n);
}

static uint64_t goroutine[14], stack[32];

static bool says(int fd, uint64_t data, uint64_t read_due, uint64_t write_due)
{
	struct go_descriptor d = {0};

	return go_descriptors_read((uint32_t)getpid(), fd, data, &d) && d.fd == fd && d.read_due == read_due &&
	       d.write_due == write_due;
}

static void of_each_version(void **state)
{
	uint64_t *n = calloc(40, sizeof(*n));

	(void)state;
	note(n, FD, 7, 9); /* up to 1.20 */
	assert_true(says(FD, go_at(n), READ_DUE, WRITE_DUE));
	note(n, FD, 8, 9); /* 1.21: the address in the upper bits */
	assert_true(says(FD, go_at(n) << 16 | 5, READ_DUE, WRITE_DUE));
	note(n, FD, 8, 11); /* 1.23 */
	assert_true(says(FD, go_at(n) << 16 | 0x7ffff, READ_DUE, WRITE_DUE));
	note(n, FD, 8, 12); /* 1.26 */
	assert_true(says(FD, go_at(n) << 15 | 0x3ffff, READ_DUE, WRITE_DUE));
	/* Who waits to read. */
	struct go_descriptor d;

	go_g(goroutine, stack, 32, 13);
	go_frame(stack, 8, 0, 0x111);
	n[4] = go_at(goroutine);
	assert_true(go_descriptors_read((uint32_t)getpid(), FD, go_at(n) << 15, &d));
	assert_true(d.reader_known && d.callers[0] == 0x111 && d.callers[1] == 0);
	n[4] = 2; /* about to */
	assert_true(go_descriptors_read((uint32_t)getpid(), FD, go_at(n) << 15, &d));
	assert_false(d.reader_known);
	n[8 + 1 + 12] = (uint64_t)-1; /* over */
	assert_true(says(FD, go_at(n) << 15, 1, WRITE_DUE));
	free(n);
}

static void of_nobody(void **state)
{
	uint64_t *n = calloc(40, sizeof(*n));
	struct go_descriptor d;

	(void)state;
	note(n, FD, 8, 11);
	assert_false(go_descriptors_read((uint32_t)getpid(), FD + 1, go_at(n) << 16, &d));
	assert_false(go_descriptors_read((uint32_t)getpid(), FD, go_at(n) + 4, &d));
	assert_false(go_descriptors_read((uint32_t)getpid(), FD, 0, &d));
	assert_false(go_descriptors_read((uint32_t)getpid(), FD, FD, &d));
	memset(n + 8, 0, 32 * sizeof(*n)); /* it does not name itself */
	assert_false(go_descriptors_read((uint32_t)getpid(), FD, go_at(n) << 16, &d));
	free(n);
}

static void lines(void **state)
{
	uint64_t data;
	int fd;

	(void)state;
	assert_true(go_descriptors_line("tfd:        4 events: 8000201d data: 7f2a5c0c7ffff  pos:0 ino:1e sdev:8\n", &fd, &data));
	assert_true(fd == 4 && data == 0x7f2a5c0c7ffffULL);
	assert_false(go_descriptors_line("pos:\t0\n", &fd, &data));
	assert_false(go_descriptors_line("tfd: 4\n", &fd, &data));
}

struct heard {
	size_t n;
	struct go_descriptor d;
};

static void hear(void *ctx, const struct go_descriptor *d)
{
	struct heard *h = ctx;

	h->n++;
	h->d = *d;
}

static void of_a_process(void **state)
{
	const int ep = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
	uint64_t *n = calloc(40, sizeof(*n));
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = go_at(n) << 16 | 3};
	struct heard h = {0};

	(void)state;
	note(n, fd, 8, 11);
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	e.data.u64 = 42; /* somebody else's */
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, other, &e), 0);
	go_descriptors_each((uint32_t)getpid(), hear, &h);
	assert_int_equal(h.n, 1);
	assert_true(h.d.fd == fd && h.d.read_due == READ_DUE && h.d.write_due == WRITE_DUE);
	go_descriptors_each(1U << 30, hear, &h);
	assert_int_equal(h.n, 1);
	close(other);
	close(fd);
	close(ep);
	free(n);
}

TEST_MAIN(cmocka_unit_test(of_each_version), cmocka_unit_test(of_nobody), cmocka_unit_test(lines), cmocka_unit_test(of_a_process))
