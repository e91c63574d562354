/* alloc_watch.c: where allocations are not asked for, or a program has no allocator of its own, nothing is done, and it is said. With real
 * programs: tests/system/ebpf_alloc.py. */
#include "commands/alloc_watch.h"

#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "test.h"

static void count_states(void *ctx, const struct event *e)
{
	*(size_t *)ctx += e->id == WIRE_ALLOC_STATE;
}

static struct ingest *session(struct counters *counters, uint32_t mean)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4, .alloc_mean = mean};
	struct ingest *in = NULL;

	assert_int_equal(ingest_new(&o, NULL, counters, &in), 0);
	return in;
}

static void not_asked_for(void **state)
{
	struct counters counters = {0};
	struct ingest *in = session(&counters, 0);

	(void)state;
	assert_null(alloc_watch_new(NULL, in));
	alloc_watch_expect(NULL, "/proc/self/exe");
	alloc_watch_begin(NULL, getpid());
	alloc_watch_tell(NULL, (uint32_t)getpid(), 1, NULL);
	alloc_watch_tick(NULL);
	assert_string_equal(alloc_watch_says(NULL), "");
	alloc_watch_free(NULL);
	ingest_free(in);
}

static void a_file_without_an_allocator(void **state)
{
	struct counters counters = {0};
	struct ingest *in = session(&counters, 65536);
	struct alloc_watch *w = alloc_watch_new(NULL, in); /* no probes: it would not survive an attempt to use them */
	size_t told = 0;

	(void)state;
	assert_non_null(w);
	assert_non_null(strstr(alloc_watch_says(w), "not named on the command line"));
	alloc_watch_expect(w, "/etc/passwd");
	assert_non_null(strstr(alloc_watch_says(w), "not watched: its file names no malloc"));
	alloc_watch_expect(w, "/nowhere");
	assert_int_equal(ingest_adopt(in, (uint32_t)getpid()), 0);
	alloc_watch_tell(w, (uint32_t)getpid(), 1, NULL);
	alloc_watch_tick(w);
	ingest_poll(in, true, count_states, &told, NULL);
	assert_int_equal(told, 0);
	alloc_watch_free(w);
	ingest_free(in);
}

/* Of a dynamic program that has none (others: tests/system/ebpf_alloc.py), or that is for the probes anyway. */
static void the_shim_sees_what_libc_gives(void **state)
{
	struct target t;
	char err[256];

	(void)state;
	assert_int_equal(target_find("/bin/true", &t, err, sizeof(err)),
			 0); /* a test with sanitizers has an allocator of its own */
	assert_false(alloc_watch_wants(&t));
	t.kind = TARGET_STATIC;
	assert_false(alloc_watch_wants(&t));
	assert_non_null(target_why(TARGET_ALLOCATOR));
	assert_true(target_probes(TARGET_ALLOCATOR));
}

TEST_MAIN(cmocka_unit_test(not_asked_for), cmocka_unit_test(the_shim_sees_what_libc_gives),
	  cmocka_unit_test(a_file_without_an_allocator))
