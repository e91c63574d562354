/* Trace structure: parents that are certain, ids that are stable, traceparent by the letter of W3C Trace Context level 2. */
#include "sample.h"

#include "report/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void traceparent(void **state)
{
	(void)state;
	uint8_t trace[16], parent[8], flags = 9;
	assert_true(traceparent_parse("00-" TRACE "-" SPAN "-01", trace, parent, &flags));
	assert_int_equal(trace[0], 0x0a);
	assert_int_equal(trace[15], 0x9c);
	assert_int_equal(parent[0], 0xb7);
	assert_int_equal(flags, 1);
	assert_true(traceparent_parse("00-" TRACE "-" SPAN "-00", trace, parent, &flags));
	assert_int_equal(flags, 0);
	assert_true(traceparent_parse("cc-" TRACE "-" SPAN "-01-new", trace, parent, &flags));
	assert_true(traceparent_parse("cc-" TRACE "-" SPAN "-01", trace, parent, &flags));

	static const char *const bad[] = {
		"",
		"00-" TRACE "-" SPAN "-0",
		"00-" TRACE "-" SPAN "-01-more",
		"cc-" TRACE "-" SPAN "-01.more",
		"ff-" TRACE "-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"0x-" TRACE "-" SPAN "-01",
		"00_" TRACE "-" SPAN "-01",
		"00-" TRACE "-" SPAN "-zz",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(traceparent_parse(bad[i], trace, parent, &flags));
}

static struct request request(uint64_t id, bool server, uint32_t tid)
{
	return (struct request){.id = id, .server = server, .pid = 1, .tid = tid};
}

static const uint8_t none[8];

static void a_root_has_no_parent_and_stable_ids(void **state)
{
	(void)state;
	struct trace_ids ids[3];
	static const uint64_t seeds[] = {42, 42, 43};
	for (size_t i = 0; i < 3; i++) {
		struct traces *t = traces_new(seeds[i]);
		struct request r = request(1, false, 1);
		traces_start(t, &r, 0);
		assert_true(traces_end(t, &r, &ids[i]));
		assert_memory_equal(ids[i].parent_id, none, 8);
		assert_int_equal(ids[i].flags, 1);
		assert_false(ids[i].parent_remote);
		traces_free(t);
	}
	assert_memory_equal(&ids[0], &ids[1], sizeof ids[0]);
	assert_memory_not_equal(ids[0].trace_id, ids[2].trace_id, 16);
	assert_memory_not_equal(ids[0].span_id, ids[2].span_id, 8);
}

static void a_client_request_belongs_to_what_its_thread_serves(void **state)
{
	(void)state;
	struct traces *t = traces_new(1);
	struct trace_ids s, c, other;
	struct request server = request(1, true, 5), client = request(2, false, 5), elsewhere = request(3, false, 6);
	traces_start(t, &server, 0);
	traces_start(t, &client, server.id);
	traces_start(t, &elsewhere, 0);
	/* its traceparent arrives after its first byte, and after the client's start */
	strcpy(server.traceparent, "00-" TRACE "-" SPAN "-01");
	assert_true(traces_end(t, &client, &c));
	assert_true(traces_end(t, &elsewhere, &other));
	assert_true(traces_end(t, &server, &s));
	assert_memory_equal(c.trace_id, s.trace_id, 16);
	assert_memory_equal(c.parent_id, s.span_id, 8);
	assert_false(c.parent_remote);
	assert_true(s.parent_remote);
	assert_int_equal(s.parent_id[0], 0xb7);
	assert_memory_equal(other.parent_id, none, 8);
	assert_memory_not_equal(other.trace_id, s.trace_id, 16);
	traces_free(t);
}

static void what_the_client_sends_is_its_parent(void **state)
{
	(void)state;
	struct traces *t = traces_new(1);
	struct trace_ids ids;
	struct request server = request(1, true, 5), client = request(2, false, 5);
	strcpy(client.traceparent, "00-" TRACE "-" SPAN "-00");
	traces_start(t, &server, 0);
	traces_start(t, &client, server.id);
	assert_true(traces_end(t, &client, &ids));
	assert_int_equal(ids.trace_id[0], 0x0a);
	assert_int_equal(ids.parent_id[0], 0xb7);
	assert_int_equal(ids.flags, 0);
	assert_false(ids.parent_remote);
	traces_free(t);
}

static void ended_ones_are_found_for_a_while(void **state)
{
	(void)state;
	struct traces *t = traces_new(1);
	struct trace_ids ids, found;
	for (uint64_t id = 1; id <= TRACES_KEPT + 1; id++) {
		struct request r = request(id, false, 1);
		traces_start(t, &r, 0);
		assert_true(traces_end(t, &r, &ids));
	}
	assert_true(traces_find(t, TRACES_KEPT + 1, &found));
	assert_memory_equal(found.span_id, ids.span_id, 8);
	assert_true(traces_find(t, 2, &found));
	assert_false(traces_find(t, 1, &found));
	assert_false(traces_find(t, 0, &found));
	struct request open = request(999999, false, 1);
	traces_start(t, &open, 0);
	assert_true(traces_find(t, 999999, &found));
	traces_free(t); /* with one still open */
}

static void one_that_stays_open_keeps_its_ids(void **state)
{
	(void)state;
	struct traces *t = traces_new(1);
	struct trace_ids before, later, found;
	struct request old = request(1, true, 5), call = request(2 + 2 * TRACES_KEPT, false, 5);
	traces_start(t, &old, 0);
	assert_true(traces_find(t, 1, &before));
	/* in the same place: one that ends, one that does not */
	struct request next = request(1 + TRACES_KEPT, false, 1), open = request(1 + 2 * TRACES_KEPT, false, 1);
	traces_start(t, &next, 0);
	assert_true(traces_end(t, &next, NULL));
	traces_start(t, &open, 0);
	traces_start(t, &call, old.id);
	assert_true(traces_end(t, &call, &later));
	assert_memory_equal(later.parent_id, before.span_id, 8);
	assert_true(traces_end(t, &old, &later));
	assert_memory_equal(later.span_id, before.span_id, 8);
	assert_true(traces_find(t, 1, &found));
	assert_memory_equal(found.trace_id, before.trace_id, 16);
	assert_true(traces_find(t, open.id, &later));
	assert_true(traces_end(t, &open, &found));
	assert_memory_equal(found.span_id, later.span_id, 8);
	traces_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traceparent),
		cmocka_unit_test(a_root_has_no_parent_and_stable_ids),
		cmocka_unit_test(a_client_request_belongs_to_what_its_thread_serves),

		cmocka_unit_test(what_the_client_sends_is_its_parent),
		cmocka_unit_test(ended_ones_are_found_for_a_while),
		cmocka_unit_test(one_that_stays_open_keeps_its_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
