/* Stable hashes: known values, since fingerprints in files depend on them. */
#include "sample.h"

#include "report/stable_hash.h"

static void parts_are_kept_apart(void **state)
{
	(void)state;
	assert_true(hash_text(hash_text(HASH_START, "ab"), "c") != hash_text(hash_text(HASH_START, "a"), "bc"));
	assert_true(hash_text(HASH_START, NULL) == hash_text(HASH_START, ""));
	assert_true(hash_number(HASH_START, 1) != hash_number(HASH_START, 256));
}

static void known_values(void **state)
{
	(void)state;
	/* FNV-1a of "a" is af63dc4c8601ec8c; then our separator is folded in */
	assert_true(hash_text(HASH_START, "a") == (0xaf63dc4c8601ec8cULL ^ 0x1fU) * 0x100000001b3ULL);
	/* the finaliser of MurmurHash3 maps 1 to this */
	assert_true(hash_end(1) == 0xb456bcfc34c2cb2cULL);
	assert_true(hash_end(0) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_kept_apart), cmocka_unit_test(known_values)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
