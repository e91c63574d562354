/* sample_memory.c: control groups of both versions, and the nearest limit. */
#include "sample/root.h"

#define MIB (1ULL << 20)

static void told_is(const struct root *r, size_t nth, uint64_t used, uint64_t limit, uint64_t kills, uint64_t stall_us)
{
	const struct told *t = root_told(r, WIRE_SAMPLE_MEMORY, nth);
	struct sample_memory m;

	assert_non_null(t);
	memcpy(&m, t->data, sizeof m);
	assert_true(m.used_bytes == used && m.limit_bytes == limit && m.kills == kills && m.stall_us == stall_us);
}

static void test_version_2(void **state)
{
	const uint32_t pids[] = {77, 78, 79};
	struct root *r = root_make();

	(void)state;
	root_file(r, "/proc/77/cgroup", "0::/pod/app\n");
	root_file(r, "/proc/78/cgroup", "0::/pod/app\n");
	root_file(r, "/proc/79/cgroup", "0::/\n");
	root_file(r, "/sys/fs/cgroup/pod/app/memory.max", "max\n");
	root_file(r, "/sys/fs/cgroup/pod/memory.max", "104857600\n");
	root_file(r, "/sys/fs/cgroup/pod/memory.current", "83886080\n");
	root_file(r, "/sys/fs/cgroup/pod/memory.stat", "anon 1\nfile 2\ninactive_file 10485760\nactive_file 20971520\n");
	root_file(r, "/sys/fs/cgroup/pod/memory.events", "low 0\noom 4\noom_kill 3\noom_group_kill 0\n");
	root_file(r, "/sys/fs/cgroup/pod/memory.pressure",
		  "some avg10=0.00 avg60=0.00 avg300=0.00 total=900\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500\n");
	sample_memories(r->s, pids, 3);
	assert_int_equal(r->n, 1); /* both processes are in one group, the third has no limit */
	told_is(r, 0, 50 * MIB, 100 * MIB, 3, 500);
	assert_true(r->told[0].e.a0 != 0);
	root_done(r);
}

static void test_version_1(void **state)
{
	const uint32_t pid = 77;
	struct root *r = root_make();

	(void)state;
	root_file(r, "/proc/77/cgroup", "5:cpu,cpuacct:/x\n4:memory:/app\n0::/\n");
	root_file(r, "/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "52428800\n");
	root_file(r, "/sys/fs/cgroup/memory/app/memory.usage_in_bytes", "20971520\n");
	root_file(r, "/sys/fs/cgroup/memory/app/memory.stat", "inactive_file 7\ntotal_inactive_file 99999999\n");
	root_file(r, "/sys/fs/cgroup/memory/app/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	sample_memories(r->s, &pid, 1);
	told_is(r, 0, 0, 50 * MIB, 0, SAMPLE_UNKNOWN);
	root_file(r, "/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
	sample_memories(r->s, &pid, 1);
	assert_int_equal(r->n, 1);
	root_done(r);
}

static void test_none(void **state)
{
	const uint32_t pid = 77;
	struct root *r = root_make();

	(void)state;
	sample_memories(r->s, &pid, 1);
	root_file(r, "/proc/77/cgroup", "garbage\n:\n::\n0:\n");
	sample_memories(r->s, &pid, 1);
	assert_int_equal(r->n, 0);
	root_done(r);
}

TEST_MAIN(cmocka_unit_test(test_version_2), cmocka_unit_test(test_version_1), cmocka_unit_test(test_none))
