/* sample_process.c: numbers of /proc/PID/stat, whatever the program is called. */
#include "sample/root.h"

#define STAT \
	") R 1 1 1 0 -1 4194304 100 0 0 0 700 300 0 0 20 0 9 0 5000 1048576 250 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 " \
	"0 0 0 0 0 0\n"

static void test_numbers(void **state)
{
	const uint64_t tick = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
	struct root *r = root_make();
	struct sample_process p;

	(void)state;
	root_file(r, "/proc/77/stat", "77 (a) b (c 1 2" STAT);
	root_file(r, "/proc/77/limits",
		  "Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 4096          files\n");
	root_link(r, 0, "/dev/null");
	sample_one_process(r->s, PID);
	const struct told *t = root_told(r, WIRE_SAMPLE_PROCESS, 0);
	assert_non_null(t);
	assert_int_equal(t->e.pid, PID);
	memcpy(&p, t->data, sizeof p);
	assert_int_equal(p.user_ns, 700 * tick);
	assert_int_equal(p.system_ns, 300 * tick);
	assert_int_equal(p.threads, 9);
	assert_int_equal(p.virtual_bytes, 1048576);
	assert_int_equal(p.resident_bytes, 250 * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_int_equal(p.fd_limit, 1024);
	assert_int_equal(p.fds, 1);
	root_done(r);
}

static void test_what_cannot_be_read(void **state)
{
	struct root *r = root_make();
	struct sample_process p;

	(void)state;
	sample_one_process(r->s, PID);
	assert_int_equal(r->n, 0);
	root_file(r, "/proc/77/stat", "77 (cut) R 1 1");
	sample_one_process(r->s, PID);
	root_file(r, "/proc/77/stat", "no bracket");
	sample_one_process(r->s, PID);
	assert_int_equal(r->n, 0);
	root_file(r, "/proc/77/stat", "77 (a" STAT); /* of another user: no descriptors, no limits */
	sample_one_process(r->s, PID);
	assert_int_equal(r->n, 1);
	memcpy(&p, r->told[0].data, sizeof p);
	assert_true(p.fds == SAMPLE_UNKNOWN && p.fd_limit == SAMPLE_UNKNOWN);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_numbers), cmocka_unit_test(test_what_cannot_be_read))
