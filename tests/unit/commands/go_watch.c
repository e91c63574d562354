/* go_watch.c: what is no Go program is left alone, and nothing is done without memory. Real Go programs: tests/system/ebpf.py, tests/matrix. */
#include "commands/go_watch.h"

#include <unistd.h>

#include "core/counters.h"
#include "test.h"

static void not_go(void **state)
{
	const struct ingest_options o = {.process_max = 4, .thread_max = 4};
	struct counters counters = {0};
	struct ingest *in;
	struct go_watch *w;

	(void)state;
	assert_int_equal(ingest_new(&o, NULL, &counters, &in), 0);
	w = go_watch_new(NULL, in); /* no probes: it would not survive an attempt to use them */
	assert_non_null(w);
	go_watch_expect(w, "/proc/self/exe");
	go_watch_expect(w, "/nowhere");
	assert_false(go_watch_begin(w, 0, (uint32_t)getpid(), "/proc/self/exe"));
	assert_false(go_watch_begin(w, PROBE_PROCESSES, (uint32_t)getpid(), "/proc/self/exe"));
	go_watch_call(w, 0, &(struct probe_call){.kind = PROBE_GO}, NULL);
	go_watch_record(w, 0, &(struct wire_record){.event = WIRE_CLOSE, .fd = 3});
	go_watch_moved(w, 0, 0x1000);
	go_watch_tick(w, 1);
	go_watch_free(w);
	ingest_free(in);
}

static void without_memory(void **state)
{
	(void)state;
	go_watch_expect(NULL, "/proc/self/exe");
	assert_false(go_watch_begin(NULL, 0, 1, NULL));
	go_watch_call(NULL, 0, &(struct probe_call){.kind = PROBE_GO}, NULL);
	go_watch_record(NULL, 0, &(struct wire_record){.event = WIRE_CLOSE});
	go_watch_moved(NULL, 0, 1);
	go_watch_tick(NULL, 1);
	go_watch_free(NULL);
}

TEST_MAIN(cmocka_unit_test(not_go), cmocka_unit_test(without_memory))
