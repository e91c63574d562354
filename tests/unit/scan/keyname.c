/*
 * Names before values, in every style.
 */
#include "scan/find.h"

#include "scan/keyname.h"

static struct keyname name_of(const char *text)
{
	struct keyname k;
	struct text t = {.bytes = (const uint8_t *)text, .len = strlen(text)};
	if (!keyname_before(&t, t.len, &k))
		k = (struct keyname){0};
	return k;
}

static void styles(void **state)
{
	(void)state;
	static const char *const same[] = {"user_password=",   "userPassword: ",  "user-password\": \"",
					   "User Password : ", "USER_PASSWORD='", "user.password=["};
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct keyname k = name_of(same[i]);
		assert_true(keyname_ends(&k, "password"));
		assert_true(keyname_ends(&k, "userpassword"));
		assert_false(keyname_ends(&k, "user"));
		assert_true(keyname_has(&k, "user"));
		assert_int_equal(k.start, 0);
	}
}

static size_t letter_of(const char *text)
{
	struct text t = {.bytes = (const uint8_t *)text, .len = strlen(text)};
	return keyname_letter(&t, t.len);
}

static void letters(void **state)
{
	(void)state;
	assert_int_equal(letter_of("a"), 1);
	assert_int_equal(letter_of("7"), 1);
	assert_int_equal(letter_of("_"), 0);
	assert_int_equal(letter_of("\xc3\xb1"), 2);
	assert_int_equal(letter_of("\xd1\x8c"), 2);
	assert_int_equal(letter_of("\xe5\xaf\x86"), 3);
	assert_int_equal(letter_of("\xed\x98\xb8"), 3);
	/* an arrow, a curly quote, a full stop of Japanese, half of a letter, nothing */
	assert_int_equal(letter_of("\xe2\x86\x92"), 0);
	assert_int_equal(letter_of("\xe2\x80\x9d"), 0);
	assert_int_equal(letter_of("\xe3\x80\x82"), 0);
	assert_int_equal(letter_of("\xb1"), 0);
	assert_int_equal(letter_of(""), 0);
	/* each character of a script without blanks may begin a word, a letter within one of ours does not */
	struct keyname k = name_of("\xe7\x94\xa8\xe6\x88\xb7\xe5\xaf\x86\xe7\xa0\x81=");
	assert_true(keyname_ends(&k, "\xe5\xaf\x86\xe7\xa0\x81"));
	k = name_of("has\xc5\x82o=");
	assert_true(keyname_ends(&k, "has\xc5\x82o"));
	assert_false(keyname_ends(&k, "\xc5\x82o"));
}

static void boundaries(void **state)
{
	(void)state;
	struct keyname k = name_of("compass=");
	assert_false(keyname_ends(&k, "pass"));
	k = name_of("hotel: ");
	assert_false(keyname_ends(&k, "tel"));
	k = name_of("x,  pass=");
	assert_true(keyname_ends(&k, "pass"));
	k = name_of("HTTPToken=");
	assert_true(keyname_ends(&k, "token"));
	k = name_of("java -Dpassword=");
	assert_true(keyname_ends(&k, "password"));
	k = name_of("java -Dsonar.login=");
	assert_true(keyname_ends(&k, "sonarlogin"));
	k = name_of("AndDpass=");
	assert_false(keyname_ends(&k, "pass"));
	k = name_of("pass\n\n=");
	assert_int_equal(k.n, 0);
	k = name_of("=");
	assert_int_equal(k.n, 0);
	k = name_of("a_very_long_name_of_which_only_the_end_is_kept_password=");
	assert_true(keyname_ends(&k, "password"));
	assert_true(k.n <= KEYNAME_MAX);
}

static void counters(void **state)
{
	(void)state;
	static const char *const counts[] = {"orderId=", "span_id: ", "bytes=", "offset ", "\"timestamp\":", "txn ", "blk "};
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct keyname k = name_of(counts[i]);
		assert_true(keyname_counts(&k));
	}
	static const char *const more[] = {"shardid=", "order number ", "trackingNo: ", "\"invoice_num\":"};
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		struct keyname k = name_of(more[i]);
		assert_true(keyname_counts(&k));
	}
	static const char *const things[] = {"job ", "jobNo=", "\"user\":", "sensor number: "};
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		struct keyname k = name_of(things[i]);
		assert_true(keyname_thing(&k) && !keyname_counts(&k));
	}
	struct keyname k = name_of("invalid: ");
	assert_false(keyname_counts(&k) || keyname_thing(&k));
	k = name_of("number=");
	assert_false(keyname_counts(&k) || keyname_thing(&k));
	k = name_of("paid=");
	assert_false(keyname_counts(&k));
	k = name_of("card_id=");
	assert_true(keyname_counts(&k) && keyname_card(&k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles),
		cmocka_unit_test(letters),
		cmocka_unit_test(boundaries),
		cmocka_unit_test(counters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
