/*
 * Keys of services: each form of each row is found behind a key that names the service and a secret, and is told as that service's.
 */
#include "scan/services.h"

#include "scan/make_value.h"

#include "scan/find.h"

static const struct {
	const char *words;
	enum entity_id entity;
	uint16_t forms[4 * 3 + 3]; /* and an end */
} rows[] = {
#define SERVICE(name, rule, title, words, ...) {words, ENTITY_##name, {__VA_ARGS__}},
#include "scan/services.def"
#undef SERVICE
};

#define ROWS (sizeof(rows) / sizeof(*rows))

/* A value of the form, with digits at its end: a short one may have been made without. */
static void value_of(const uint16_t *form, size_t n, uint32_t seed, char *out)
{
	make_value((enum alphabet)form[0], n, seed, out);
	put_at(out + n - 3, "739");
}

static void each_form(void **state)
{
	(void)state;
	for (size_t row = 0; row < ROWS; row++) {
		char word[32] = {0}, value[512], text[1024], want[1024];
		memcpy(word, rows[row].words, strcspn(rows[row].words, " "));
		for (const uint16_t *form = rows[row].forms; form[2] != 0; form += 3) {
			value_of(form, form[1], (uint32_t)row, value);
			(void)snprintf(want, sizeof(want), "%s=%s", entity_table[rows[row].entity].name, value);
			(void)snprintf(text, sizeof(text), "%s_api_key=%s", word, value);
			assert_string_equal(found(text), want);
			(void)snprintf(text, sizeof(text), "{\"%sAccessToken\": \"%s\"}", word, value);
			assert_string_equal(found(text), want);
			/* nothing names a secret */
			(void)snprintf(text, sizeof(text), "%s_cache_key=%s", word, value);
			assert_string_equal(found(text), "");
			/* one more than the form has */
			value_of(form, form[2] + 1U, (uint32_t)row, value);
			(void)snprintf(text, sizeof(text), "%s_api_key=%s", word, value);
			(void)snprintf(want, sizeof(want), "%s=%s", entity_table[rows[row].entity].name, value);
			if (form[3] == 0 && form == rows[row].forms)
				assert_string_not_equal(found(text), want);
			/* a mask */
			memset(value, 'x', form[1]);
			value[form[1]] = 0;
			(void)snprintf(text, sizeof(text), "%s_api_key=%s", word, value);
			assert_string_equal(found(text), "");
		}
	}
	assert_true(ROWS >= 100);
}

static void words_of_rows(void **state)
{
	(void)state;
	for (size_t row = 0; row < ROWS; row++) {
		for (const char *p = rows[row].words; *p != 0;) {
			size_t n = strcspn(p, " ");
			assert_in_range(n, 2, KEYNAME_MAX - 4);
			p += n + (p[n] == ' ');
		}
		for (const uint16_t *form = rows[row].forms; form[2] != 0; form += 3)
			assert_true(form[1] >= 14 && form[1] <= form[2]);
	}
}

static void by_its_own_name(void **state)
{
	(void)state;
	char value[64], text[128], want[128];
	make_value(HEX, 40, 7, value);
	(void)snprintf(want, sizeof(want), "WANDB_KEY=%s", value);
	(void)snprintf(text, sizeof(text), "wandb: %s", value);
	assert_string_equal(found(text), want);
	(void)snprintf(text, sizeof(text), "wandb %s", value);
	assert_string_equal(found(text), want);
	/* a file, a longer word, another length */
	(void)snprintf(text, sizeof(text), "wandb: %s.png", value);
	assert_string_equal(found(text), "");
	(void)snprintf(text, sizeof(text), "wandb: %s/4", value);
	assert_string_equal(found(text), "");
	value[39] = 0;
	(void)snprintf(text, sizeof(text), "wandb: %s", value);
	assert_string_equal(found(text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form),
		cmocka_unit_test(words_of_rows),
		cmocka_unit_test(by_its_own_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
