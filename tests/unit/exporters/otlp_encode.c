/* The envelope around items, the reading of responses, and texts that are no UTF-8. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <otlp.pb-c.h>

#include "exporters/otlp_encode_private.h"

static void an_envelope_holds_its_items(void **state)
{
	(void)state;
	const struct attr about[] = {
		{.key = "service.name", .type = ATTR_STRING, .s = "shop"},
		{.key = "process.pid", .type = ATTR_INT, .i = 42},
	};
	const struct resource r = {.attrs = about, .attrs_n = 2};
	const struct bytes items[] = {{.data = (uint8_t *)"ab", .len = 2}, {.data = (uint8_t *)"c", .len = 1}};
	struct bytes out;
	assert_int_equal(otlp_encode_request(&r, items, 2, &out), 0);
	Otlp__PackedRequest *back = otlp__packed_request__unpack(NULL, out.len, out.data);
	assert_non_null(back);
	assert_int_equal(back->n_resources, 1);
	assert_int_equal(back->resources[0]->resource->n_attributes, 2);
	assert_string_equal(back->resources[0]->resource->attributes[0]->key, "service.name");
	assert_string_equal(back->resources[0]->resource->attributes[0]->value->string_value, "shop");
	assert_int_equal(back->resources[0]->resource->attributes[1]->value->int_value, 42);
	const Otlp__PackedScope *scope = back->resources[0]->scopes[0];
	assert_string_equal(scope->scope->name, "gapscope");
	assert_int_equal(scope->n_items, 2);
	assert_memory_equal(scope->items[0].data, "ab", 2);
	otlp__packed_request__free_unpacked(back, NULL);
	free(out.data);
}

static void attributes_of_each_type(void **state)
{
	(void)state;
	const struct attr attrs[] = {
		{.key = "s", .type = ATTR_STRING, .s = "bad \xff"},
		{.key = "n", .type = ATTR_STRING, .s = NULL},
		{.key = "i", .type = ATTR_INT, .i = -5},
		{.key = "d", .type = ATTR_DOUBLE, .d = 0.5},
		{.key = "b", .type = ATTR_BOOL, .b = true},
	};
	struct attr_tree t;
	assert_int_equal(attr_tree_make(attrs, 5, &t), 0);
	assert_string_equal(t.list[0]->value->string_value, "bad ?");
	assert_string_equal(t.list[1]->value->string_value, "");
	assert_int_equal(t.list[2]->value->int_value, -5);
	assert_true(t.list[3]->value->double_value == 0.5);
	assert_true(t.list[4]->value->bool_value);
	attr_tree_done(&t);
	assert_int_equal(attr_tree_make(NULL, 0, &t), 0);
	attr_tree_done(&t);
}

static void responses(void **state)
{
	(void)state;
	static const uint8_t empty_success[] = {0x0a, 0x00};
	static const uint8_t seven[] = {0x0a, 0x06, 0x08, 0x07, 0x12, 0x02, 'n', 'o'};
	static const uint8_t negative[] = {0x0a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	assert_int_equal(otlp_decode_rejected(NULL, 0), 0);
	assert_int_equal(otlp_decode_rejected(empty_success, sizeof empty_success), 0);
	assert_int_equal(otlp_decode_rejected(seven, sizeof seven), 7);
	assert_int_equal(otlp_decode_rejected(negative, sizeof negative), 0);
	assert_int_equal(otlp_decode_rejected((const uint8_t *)"<html>", 6), 0);
	for (size_t cut = 1; cut < sizeof seven; cut++)
		assert_int_equal(otlp_decode_rejected(seven, cut), 0);
}

TEST_MAIN(cmocka_unit_test(an_envelope_holds_its_items), cmocka_unit_test(attributes_of_each_type), cmocka_unit_test(responses))
