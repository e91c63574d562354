/* One pass from the end to the front: numbers of every length, nesting, growth, texts; read back by protobuf-c. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include <otlp.pb-c.h>

#include "exporters/pb_writer.h"

static void varints(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit <= 64; bit++) {
		const uint64_t near = bit < 64 ? 1ULL << bit : UINT64_MAX;
		for (uint64_t v = near - 1; v <= near && v + 1 != 0; v++) {
			uint8_t room[16];
			struct pb_writer w;
			struct bytes out;
			pb_begin(&w, room, sizeof room);
			pb_put_varint(&w, 3, v); /* AnyValue.int_value */
			assert_int_equal(pb_end(&w, &out), 0);
			Otlp__AnyValue *back = otlp__any_value__unpack(NULL, out.len, out.data);
			assert_non_null(back);
			assert_true((uint64_t)back->int_value == v);
			otlp__any_value__free_unpacked(back, NULL);
			free(out.data);
		}
	}
}

/* The room's size must not matter: none, some, enough. */
static void grows(void **state)
{
	(void)state;
	for (size_t size = 0; size < 700; size += 7) {
		uint8_t room[700];
		struct pb_writer w;
		struct bytes out;
		char text[100];
		pb_begin(&w, room, size);
		for (int i = 5; i-- > 0;) {
			const size_t mark = pb_mark(&w);
			memset(text, 'a' + i, sizeof text);
			text[sizeof text - 1] = '\0';
			pb_put_text(&w, 1, text);
			pb_put_message(&w, 1, mark);
		}
		assert_int_equal(pb_end(&w, &out), 0);
		Otlp__ArrayValue *back = otlp__array_value__unpack(NULL, out.len, out.data);
		assert_non_null(back);
		assert_int_equal(back->n_values, 5);
		for (size_t i = 0; i < 5; i++) {
			assert_int_equal(strlen(back->values[i]->string_value), sizeof text - 1);
			assert_int_equal(back->values[i]->string_value[50], 'a' + (int)i);
		}
		otlp__array_value__free_unpacked(back, NULL);
		free(out.data);
	}
}

static void texts(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{NULL, ""},
		{"", ""},
		{"plain", "plain"},
		{"\xff", "?"},
		{"a\nb", "a?b"},
		{"m\xc3\xbc\xc3", "m\xc3\xbc?"},
		{"DEL \x7f at the end", "DEL ? at the end"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t room[8]; /* most of them have to grow */
		struct pb_writer w;
		struct bytes out;
		pb_begin(&w, room, sizeof room);
		pb_put_text(&w, 1, cases[i].in);
		assert_int_equal(pb_end(&w, &out), 0);
		Otlp__AnyValue *back = otlp__any_value__unpack(NULL, out.len, out.data);
		assert_non_null(back);
		assert_int_equal(back->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
		assert_string_equal(back->string_value, cases[i].out);
		otlp__any_value__free_unpacked(back, NULL);
		free(out.data);
	}
}

static void nothing(void **state)
{
	(void)state;
	struct pb_writer w;
	struct bytes out;
	pb_begin(&w, NULL, 0);
	assert_int_equal(pb_end(&w, &out), 0);
	assert_int_equal(out.len, 0);
	free(out.data);
}

/* Where memory is out, nothing is written, and that is said. */
static void no_memory(void **state)
{
	(void)state;
	uint8_t room[8];
	struct pb_writer w;
	struct bytes out = {0};
	pb_begin(&w, room, sizeof room);
	pb_put_varint(&w, 1, 1);
	w.failed = true; /* as it is after an allocation that failed */
	assert_false(pb_grow(&w, 1));
	pb_put_text(&w, 1, "more than there is room for");
	pb_put_fixed64(&w, 2, 1);
	assert_int_equal(pb_end(&w, &out), -ENOMEM);
	assert_null(out.data);
}

TEST_MAIN(cmocka_unit_test(varints), cmocka_unit_test(grows), cmocka_unit_test(texts), cmocka_unit_test(nothing),
	  cmocka_unit_test(no_memory))
