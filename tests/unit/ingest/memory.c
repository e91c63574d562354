/* memory.c: the parts do not overlap, the sizes are bounded, and nobody can shrink it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/memory.h"

static struct tick_clock a_clock(void)
{
	const uint64_t same[2] = {1, 1};
	struct tick_clock c;

	clock_start_at(&c, WIRE_CLOCK_MONOTONIC, same, same, 1);
	return c;
}

static void parts_lie_apart(void **state)
{
	const struct ingest_options o = {.process_max = 3, .thread_max = 5, .ring_bytes = 5000, .stacks = true};
	const struct tick_clock c = a_clock();
	struct memory m = {.fd = -1};
	struct wire_header *h;

	(void)state;
	assert_int_equal(memory_make(&o, &c, &m), 0);
	h = m.header;
	assert_true(h->magic == WIRE_MAGIC);
	assert_int_equal(h->version, WIRE_VERSION);
	assert_int_equal(h->ring_bytes, 8192);
	assert_int_equal(h->size_bytes, m.size);
	assert_true(h->process_off >= sizeof(*h));
	assert_true((char *)wire_process_at(h, 3) <= (char *)wire_thread_at(h, 0));
	assert_true((char *)wire_thread_at(h, 5) <= (char *)h + h->policy_off);
	assert_true((char *)(uintptr_t)wire_policy_at(h, 3) <= (char *)h + h->renewed_off);
	assert_true((char *)(uintptr_t)wire_renewed_at(h, 2, WIRE_RENEWED - 1) < (char *)h + h->ring_off);
	assert_true((char *)wire_ring_at(h, 5) <= (char *)h + m.size);
	assert_int_equal(atomic_load(&h->enabled), 1);
	assert_int_equal(atomic_load(&h->stacks), 1);
	assert_int_equal(h->agent_pid, getpid());
	/* The last byte is ours. */
	wire_ring_at(h, 4)[8191] = 1;
	memory_done(&m);
	assert_int_equal(m.fd, -1);
}

static void untouched_pages_cost_nothing(void **state)
{
	const struct ingest_options o = {0};
	const struct tick_clock c = a_clock();
	struct memory m = {.fd = -1};
	struct stat st;

	(void)state;
	assert_int_equal(memory_make(&o, &c, &m), 0);
	assert_int_equal(m.header->thread_max, WIRE_THREAD_MAX_DEFAULT);
	assert_int_equal(fstat(m.fd, &st), 0);
	assert_true(st.st_size > (off_t)64 << 20);
	assert_true(st.st_blocks * 512 < 65536);
	memory_done(&m);
}

static void it_cannot_be_shrunk(void **state)
{
	const struct ingest_options o = {.thread_max = 1, .process_max = 1};
	const struct tick_clock c = a_clock();
	struct memory m = {.fd = -1};

	(void)state;
	assert_int_equal(memory_make(&o, &c, &m), 0);
	assert_int_equal(ftruncate(m.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	memory_done(&m);
}

static void sizes_are_bounded(void **state)
{
	const struct ingest_options too_much[] = {
		{.process_max = UINT32_MAX}, {.thread_max = UINT32_MAX}, {.ring_bytes = WIRE_RING_BYTES_MAX + 1}};
	const struct tick_clock c = a_clock();

	(void)state;
	for (size_t i = 0; i < sizeof(too_much) / sizeof(too_much[0]); i++) {
		struct memory m = {.fd = -1};

		assert_int_equal(memory_make(&too_much[i], &c, &m), -EINVAL);
		assert_null(m.header);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_lie_apart),
		cmocka_unit_test(untouched_pages_cost_nothing),
		cmocka_unit_test(it_cannot_be_shrunk),
		cmocka_unit_test(sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
