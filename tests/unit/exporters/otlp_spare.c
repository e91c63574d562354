/* Spans that were left out can be had for a while, once, and be asked for before they come. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "exporters/otlp_spare.h"

static uint8_t *id_of(uint64_t n)
{
	static uint8_t id[8];
	memcpy(id, &n, sizeof id);
	return id;
}

static void put(struct otlp_spare *s, uint64_t n)
{
	struct bytes b = {.data = malloc(8), .len = 8};
	memcpy(b.data, &n, sizeof n);
	otlp_spare_put(s, id_of(n), &b);
}

static void taken_once(void **state)
{
	(void)state;
	struct otlp_spare *s = otlp_spare_new();
	struct bytes b;
	for (uint64_t n = 1; n <= 10; n++)
		put(s, n);
	assert_int_equal(otlp_spare_count(s), 10);
	assert_true(otlp_spare_take(s, id_of(4), &b));
	assert_memory_equal(b.data, id_of(4), 8);
	free(b.data);
	assert_int_equal(otlp_spare_count(s), 9);
	assert_false(otlp_spare_take(s, id_of(4), &b));
	otlp_spare_clear(s);
	assert_int_equal(otlp_spare_count(s), 0);
	assert_false(otlp_spare_take(s, id_of(5), &b));
	otlp_spare_free(s);
	otlp_spare_free(NULL);
}

static void the_oldest_goes(void **state)
{
	(void)state;
	struct otlp_spare *s = otlp_spare_new();
	struct bytes b;
	for (uint64_t n = 1; n <= LIMIT_SPARE_SPANS + 2; n++)
		put(s, n);
	assert_int_equal(otlp_spare_count(s), LIMIT_SPARE_SPANS);
	assert_false(otlp_spare_take(s, id_of(2), &b));
	assert_true(otlp_spare_take(s, id_of(3), &b));
	free(b.data);
	put(s, 7777777); /* into the place of the third, which is empty */
	assert_int_equal(otlp_spare_count(s), LIMIT_SPARE_SPANS);
	otlp_spare_free(s);
}

static void asked_before_it_came(void **state)
{
	(void)state;
	struct otlp_spare *s = otlp_spare_new();
	struct bytes b;
	assert_false(otlp_spare_asked(s, id_of(9)));
	assert_false(otlp_spare_take(s, id_of(9), &b));
	assert_true(otlp_spare_asked(s, id_of(9)));
	assert_false(otlp_spare_asked(s, id_of(9)));
	for (uint64_t n = 1; n <= LIMIT_SPARE_ASKED + 1; n++)
		assert_false(otlp_spare_take(s, id_of(n), &b));
	assert_false(otlp_spare_asked(s, id_of(1))); /* too many */
	assert_true(otlp_spare_asked(s, id_of(2)));
	otlp_spare_free(s);
}

TEST_MAIN(cmocka_unit_test(taken_once), cmocka_unit_test(the_oldest_goes), cmocka_unit_test(asked_before_it_came))
