/* BSON's elements, whole and cut. */
#include "test.h"

#include <string.h>

#include "protocols/bson.h"

/* {"find": "users", "n": 1.0, "d": {}, "on": true, "i": 7, "l": 9, "null": null} */
static const char doc[] =
	"\x47\0\0\0\2find\0\6\0\0\0users\0\1n\0\0\0\0\0\0\0\xf0\x3f\3d\0\5\0\0\0\0\10on\0\1\20i\0\7\0\0\0\22l\0\11\0\0\0\0\0\0\0"
	"\12null\0\0";

static void elements(void **state)
{
	static const struct {
		const char *key;
		int64_t number;
	} rows[] = {{"find", -1}, {"n", 1}, {"d", -1}, {"on", 1}, {"i", 7}, {"l", 9}, {"null", -1}};
	struct bson b;
	struct bson_element e;
	int64_t number;
	size_t n;

	(void)state;
	assert_true(bson_begin(&b, (const uint8_t *)doc, sizeof(doc) - 1));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(bson_next(&b, &e));
		assert_true(bson_is(&e, rows[i].key));
		assert_int_equal(bson_number(&e, &number), rows[i].number >= 0);
		if (rows[i].number >= 0)
			assert_int_equal(number, rows[i].number);
		if (i == 0) {
			assert_memory_equal(bson_text(&e, &n), "users", 5);
			assert_int_equal(n, 5);
		} else {
			assert_null(bson_text(&e, &n));
		}
	}
	assert_false(bson_next(&b, &e));
}

static void cut(void **state)
{
	struct bson b;
	struct bson_element e;

	(void)state;
	for (size_t len = 0; len < sizeof(doc) - 1; len++) {
		unsigned int n = 0;
		if (!bson_begin(&b, (const uint8_t *)doc, len))
			continue;
		while (bson_next(&b, &e))
			n++;
		assert_true(n < 7 || len >= sizeof(doc) - 3);
	}
	assert_false(bson_begin(&b, (const uint8_t *)"\4\0\0\0", 4));
}

TEST_MAIN(cmocka_unit_test(elements), cmocka_unit_test(cut))
