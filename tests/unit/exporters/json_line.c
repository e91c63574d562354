/* JSON in place: what it writes reads back as what was given, and as a tree of the same values would be written. */
#include "test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/json_line.h"
#include "report/findings.h"
#include "report/text.h"

static json_t *read_back(struct json_line *l)
{
	json_t *o = json_loadb(l->text, l->len, JSON_DECODE_ANY, NULL);

	l->len = 0;
	return o;
}

static void texts(void **state)
{
	static const char *const given[] = {
		"",         "GET /a?b=1", "say \"hi\" \\ \\\\", "\x01\x1f\x7f", "grün 漢字 \xf0\x9f\x98\x80",
		"\xff\xc3", "\xc2\x85",   "\xed\xa0\x80\"",     "tab\there"};
	struct json_line l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		json_line_text(&l, given[i]);
		json_t *got = read_back(&l), *want = text_json(given[i]);
		assert_non_null(got);
		assert_true(json_equal(got, want));
		json_decref(got);
		json_decref(want);
	}
	json_line_text(&l, NULL);
	assert_int_equal(l.len, 2);
	free(l.text);
}

static void reads(struct json_line *l, const char *text)
{
	assert_int_equal(l->len, strlen(text));
	assert_memory_equal(l->text, text, l->len);
	l->len = 0;
}

static void numbers(void **state)
{
	struct json_line l = {0};

	(void)state;
	json_line_int(&l, INT64_MIN);
	reads(&l, "-9223372036854775808");
	json_line_real(&l, 3);
	reads(&l, "3.0");
	json_line_real(&l, 0.25);
	reads(&l, "0.25");
	json_line_real(&l, 1e300);
	reads(&l, "1e+300");
	json_line_real(&l, (double)NAN);
	reads(&l, "null");
	json_line_real(&l, (double)INFINITY);
	reads(&l, "null");
	json_line_bool(&l, true);
	json_line_bool(&l, false);
	reads(&l, "truefalse");
	json_line_seconds(&l, 0);
	reads(&l, "0.0");
	json_line_seconds(&l, 1);
	reads(&l, "0.000000001");
	json_line_seconds(&l, 1500000000);
	reads(&l, "1.5");
	json_line_seconds(&l, 120000000000ULL);
	reads(&l, "120.0");
	json_line_hex(&l, (const uint8_t[]){0x00, 0xab, 0xff}, 3);
	reads(&l, "\"00abff\"");
	free(l.text);
}

/* The second is remembered from one to the next. */
static void times(void **state)
{
	static const uint64_t given[] = {0,
					 999999,
					 999999999,
					 1000000000,
					 1795286595123456789ULL,
					 1795286595999999999ULL,
					 1795286596000000000ULL,
					 1795286595000000000ULL,
					 0,
					 UINT64_MAX};
	struct json_line l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		char text[32], want[40];

		snprintf(want, sizeof(want), "\"%s\"", time_text(given[i], text, sizeof(text)));
		json_line_time(&l, given[i]);
		reads(&l, want);
	}
	free(l.text);
}

static void grows(void **state)
{
	struct json_line l = {0};

	(void)state;
	json_line_literal(&l, "[");
	for (int i = 0; i < 20000; i++) {
		json_line_literal(&l, "\"");
		json_line_add(&l, "x", 1);
		json_line_literal(&l, "\",");
	}
	json_line_literal(&l, "null]");
	json_t *o = read_back(&l);
	assert_int_equal(json_array_size(o), 20001);
	json_decref(o);
	assert_false(l.failed);
	free(l.text);
}

TEST_MAIN(cmocka_unit_test(texts), cmocka_unit_test(numbers), cmocka_unit_test(times), cmocka_unit_test(grows))
