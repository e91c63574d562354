/*
 * US social security numbers and taxpayer numbers: the ranges that the SSA and the IRS issue.
 */
#include <string.h>

#include "scan/validators.h"

bool us_ssn_holds(const char *digits, size_t n)
{
	/* numbers that were printed in advertisements and are void since */
	static const char *const void_numbers[] = {"078051120", "219099999", "457555462"};
	if (n != 9 || digits[0] == '9' || memcmp(digits, "000", 3) == 0 || memcmp(digits, "666", 3) == 0)
		return false;
	if (memcmp(digits + 3, "00", 2) == 0 || memcmp(digits + 5, "0000", 4) == 0)
		return false;
	for (size_t i = 0; i < sizeof(void_numbers) / sizeof(*void_numbers); i++) {
		if (memcmp(digits, void_numbers[i], 9) == 0)
			return false;
	}
	return memcmp(digits, digits + 1, 8) != 0;
}

bool us_itin_holds(const char *digits, size_t n)
{
	if (n != 9 || digits[0] != '9')
		return false;
	int group = (digits[3] - '0') * 10 + digits[4] - '0';
	return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) ||
	       (group >= 94 && group <= 99);
}

bool us_ssn_at(const struct text *t, size_t at, struct span *ret)
{
	char digits[9];
	size_t n = 0;
	for (size_t i = 0; i < 11; i++) {
		uint8_t c = text_at(t, at + i);
		if (i == 3 || i == 6) {
			if (c != '-')
				return false;
		} else if (is_digit(c)) {
			digits[n++] = (char)c;
		} else {
			return false;
		}
	}
	uint8_t before = text_at(t, at - 1), after = text_at(t, at + 11);
	if (is_word(before) || before == '-' || before == '.' || before == '/' || before == '+' || is_word(after))
		return false;
	if ((after == '-' || after == '.' || after == '/') && is_alnum(text_at(t, at + 12)))
		return false;
	struct keyname key;
	if (!us_ssn_holds(digits, n) || (keyname_before(t, at, &key) && keyname_counts(&key)))
		return false;
	*ret = (struct span){at, at + 11};
	return true;
}
