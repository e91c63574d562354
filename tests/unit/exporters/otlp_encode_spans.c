/* A span as OTLP. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <otlp.pb-c.h>

#include "exporters/otlp_encode.h"

static Otlp__Span *round_trip(const struct span *s, size_t attrs_max)
{
	struct bytes out;
	assert_int_equal(otlp_encode_span(s, attrs_max, &out), 0);
	Otlp__Span *back = otlp__span__unpack(NULL, out.len, out.data);
	assert_non_null(back);
	/* protobuf-c writes what it has read as the same bytes: nothing is in another order, or is longer than it has to be */
	uint8_t *again = malloc(out.len + 1);
	assert_int_equal(otlp__span__get_packed_size(back), out.len);
	assert_int_equal(otlp__span__pack(back, again), out.len);
	assert_memory_equal(again, out.data, out.len);
	free(again);
	free(out.data);
	return back;
}

static void every_field(void **state)
{
	(void)state;
	struct span s = {
		.trace_id = {1, [15] = 16},
		.span_id = {2, [7] = 8},
		.parent_id = {3},
		.parent_remote = true,
		.trace_flags = 1,
		.kind = SPAN_SERVER,
		.name = "GET",
		.start_ns = 1700000000000000001ULL,
		.end_ns = 1700000000000000002ULL,
		.status = SPAN_ERROR,
		.status_text = "why",
		.attrs = {{.key = "a", .type = ATTR_INT, .i = 1}, {.key = "b", .type = ATTR_INT, .i = 2}},
		.attrs_n = 2,
		.linked = true,
		.link_trace_id = {5, [15] = 6},
		.link_span_id = {7, [7] = 8},
	};
	Otlp__Span *back = round_trip(&s, 24);
	assert_int_equal(back->n_links, 1);
	assert_int_equal(back->links[0]->trace_id.len, 16);
	assert_memory_equal(back->links[0]->trace_id.data, s.link_trace_id, 16);
	assert_memory_equal(back->links[0]->span_id.data, s.link_span_id, 8);
	assert_int_equal(back->trace_id.len, 16);
	assert_memory_equal(back->trace_id.data, s.trace_id, 16);
	assert_memory_equal(back->span_id.data, s.span_id, 8);
	assert_memory_equal(back->parent_span_id.data, s.parent_id, 8);
	assert_int_equal(back->flags, 0x301);
	assert_int_equal(back->kind, OTLP__SPAN__SPAN_KIND__SPAN_KIND_SERVER);
	assert_string_equal(back->name, "GET");
	assert_true(back->start_time_unix_nano == s.start_ns && back->end_time_unix_nano == s.end_ns);
	assert_int_equal(back->status->code, OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR);
	assert_string_equal(back->status->message, "why");
	assert_int_equal(back->n_attributes, 2);
	assert_int_equal(back->dropped_attributes_count, 0);
	otlp__span__free_unpacked(back, NULL);

	s.linked = false;
	back = round_trip(&s, 1);
	assert_int_equal(back->n_links, 0);
	assert_int_equal(back->n_attributes, 1);
	assert_int_equal(back->dropped_attributes_count, 1);
	otlp__span__free_unpacked(back, NULL);
}

static void a_root_without_status(void **state)
{
	(void)state;
	const struct span s = {
		.trace_id = {1}, .span_id = {2}, .kind = SPAN_CLIENT, .name = "GET", .start_ns = 1, .end_ns = 2, .trace_flags = 1};
	Otlp__Span *back = round_trip(&s, 24);
	assert_int_equal(back->parent_span_id.len, 0);
	assert_null(back->status);
	assert_int_equal(back->flags, 0x101);
	otlp__span__free_unpacked(back, NULL);
}

/* Larger than the room on the stack, and attributes of each type in their order. */
static void a_large_one(void **state)
{
	(void)state;
	char text[3000];
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	const struct span s = {
		.trace_id = {1},
		.span_id = {2},
		.kind = SPAN_SERVER,
		.name = "b\xff",
		.start_ns = 1,
		.end_ns = 2,
		.attrs = {{.key = "s", .type = ATTR_STRING, .s = text},
			  {.key = "t", .type = ATTR_STRING, .s = text},
			  {.key = "i", .type = ATTR_INT, .i = -5},
			  {.key = "d", .type = ATTR_DOUBLE, .d = 0.5},
			  {.key = "b", .type = ATTR_BOOL, .b = true},
			  {.key = "n", .type = ATTR_STRING, .s = NULL}},
		.attrs_n = 6,
	};
	Otlp__Span *back = round_trip(&s, 24);
	assert_string_equal(back->name, "b?");
	assert_int_equal(back->n_attributes, 6);
	assert_string_equal(back->attributes[0]->value->string_value, text);
	assert_string_equal(back->attributes[1]->key, "t");
	assert_int_equal(back->attributes[2]->value->int_value, -5);
	assert_true(back->attributes[3]->value->double_value == 0.5);
	assert_true(back->attributes[4]->value->bool_value);
	assert_string_equal(back->attributes[5]->value->string_value, "");
	otlp__span__free_unpacked(back, NULL);
}

TEST_MAIN(cmocka_unit_test(every_field), cmocka_unit_test(a_root_without_status), cmocka_unit_test(a_large_one))
