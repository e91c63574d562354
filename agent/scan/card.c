/*
 * Payment cards: issuer range, length, the Luhn check (ISO/IEC 7812-1), and what stands around the number. Luhn alone passes one long
 * id in ten, so an undivided number after a key that counts something is none.
 */
#include <string.h>

#include "scan/validators.h"

#define CARD_DIGITS_MAX 19U
#define LIST_MAX 256U /* bytes of a list that are looked at */

/* LENGTH(n) bit n: lengths that an issuer gives. */
#define LENGTH(n) (1U << (n))

static const struct issuer {
	uint32_t first, last; /* of the first six digits */
	uint32_t lengths;
	uint32_t named_lengths; /* also these, where a key names a card */
} issuers[] = {
	{300000, 305999, 0, LENGTH(14) | LENGTH(16)},                       /* Diners Club */
	{340000, 349999, LENGTH(15), 0},                                    /* American Express */
	{352800, 358999, LENGTH(16), LENGTH(17) | LENGTH(18) | LENGTH(19)}, /* JCB */
	{360000, 369999, 0, LENGTH(14) | LENGTH(16) | LENGTH(19)},          /* Diners Club International */
	{370000, 379999, LENGTH(15), 0},                                    /* American Express */
	{380000, 399999, 0, LENGTH(14) | LENGTH(16) | LENGTH(19)},          /* Diners Club International */
	{400000, 499999, LENGTH(16), LENGTH(13) | LENGTH(19)},              /* Visa */
	{500000, 509999, 0,
	 LENGTH(12) | LENGTH(13) | LENGTH(14) | LENGTH(15) | LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19)}, /* Maestro, Elo */
	{510000, 559999, LENGTH(16), 0},                                                                         /* Mastercard */
	{560000, 589999, 0,
	 LENGTH(12) | LENGTH(13) | LENGTH(14) | LENGTH(15) | LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19)}, /* Maestro */
	{222100, 272099, LENGTH(16), 0},                                                                         /* Mastercard */
	{220000, 220499, 0, LENGTH(16) | LENGTH(19)},                                                            /* Mir */
	{601100, 601199, LENGTH(16), LENGTH(19)},                                                                /* Discover */
	{644000, 659999, LENGTH(16), LENGTH(19)},                                                                /* Discover */
	{620000, 629999, LENGTH(16), LENGTH(17) | LENGTH(18) | LENGTH(19)},                                      /* UnionPay */
	{600000, 699999, 0,
	 LENGTH(12) | LENGTH(13) | LENGTH(14) | LENGTH(15) | LENGTH(16) | LENGTH(17) | LENGTH(18) |
		 LENGTH(19)}, /* Maestro, RuPay, Hipercard */
};

static bool issued(const char *digits, size_t n, bool named)
{
	uint32_t prefix = 0;
	for (size_t i = 0; i < 6; i++)
		prefix = prefix * 10 + (uint32_t)(digits[i] - '0');
	for (size_t i = 0; i < sizeof(issuers) / sizeof(*issuers); i++) {
		const struct issuer *is = &issuers[i];
		uint32_t lengths = is->lengths | (named ? is->named_lengths : 0);
		if (prefix >= is->first && prefix <= is->last && (lengths >> n & 1) != 0)
			return true;
	}
	return false;
}

/* Groups as they are printed: fours and a rest, or 4-6-5 and 4-6-4. */
static bool grouped_well(const size_t *group, size_t n)
{
	if (n == 1)
		return true;
	if (n == 3)
		return group[0] == 4 && group[1] == 6 && (group[2] == 5 || group[2] == 4);
	for (size_t i = 0; i + 1 < n; i++) {
		if (group[i] != 4)
			return false;
	}
	return (n == 4 && group[3] == 4) || (n == 5 && group[4] <= 3);
}

static bool stands_alone(const struct text *t, size_t start, size_t end)
{
	uint8_t before = text_at(t, start - 1), after = text_at(t, end);
	if (is_word(before) || is_word(after) || before == '-' || before == '+' || before == '#' || before >= 0x80)
		return false;
	if (before == '.' && is_alnum(text_at(t, start - 2)))
		return false;
	return !((after == '.' || after == '-') && is_alnum(text_at(t, end + 1)));
}

/* Does the number go on as a longer row of groups of four, as in a dump or an IBAN? */
static bool row_of_fours(const struct text *t, size_t start, size_t end)
{
	uint8_t before = text_at(t, start - 1), after = text_at(t, end);
	size_t i = 0;
	if (before == ' ' || before == '-') {
		while (i < 5 && is_digit(text_at(t, start - 2 - i)))
			i++;
		if (i == 4 && text_at(t, end - 5) == before)
			return true;
	}
	for (i = 0; i < 5 && is_digit(text_at(t, end + 1 + i));)
		i++;
	return i == 4 && (after == ' ' || after == '-') && text_at(t, end - 5) == after && text_at(t, end + 5) == after;
}

static bool all_same(const char *digits, size_t n)
{
	return memcmp(digits, digits + 1, n - 1) == 0;
}

/* Digits of the same number as `n`, at `at`, that are no card. */
static bool no_card_at(const struct text *t, size_t at, size_t n)
{
	char digits[CARD_DIGITS_MAX + 1];
	size_t i = 0;
	if (n < 12 || n > CARD_DIGITS_MAX)
		return false;
	for (; i < n && is_digit(text_at(t, at + i)); i++)
		digits[i] = (char)t->bytes[at + i];
	return i == n && !is_digit(text_at(t, at + n)) && !(luhn_holds(digits, n) && issued(digits, n, true));
}

/* One of a list of numbers, "ids": [17, 4111…]: the key says that they are ids, or one beside it is no card. */
static bool one_of_ids(const struct text *t, size_t start, size_t end)
{
	size_t low = start > LIST_MAX ? start - LIST_MAX : 0, i = start, n = end - start;
	while (i > low && (is_digit(t->bytes[i - 1]) || t->bytes[i - 1] == ',' || t->bytes[i - 1] == ' '))
		i--;
	if (text_at(t, i - 1) != '[')
		return false;
	struct keyname key;
	if (keyname_before(t, i - 1, &key) && keyname_counts(&key) && !keyname_card(&key))
		return true;
	size_t next = end, last = start;
	while (text_at(t, next) == ',' || text_at(t, next) == ' ')
		next++;
	while (last > i && !is_digit(t->bytes[last - 1]))
		last--;
	return (next > end && no_card_at(t, next, n)) || (last >= i + n && no_card_at(t, last - n, n));
}

/* What a path names, /orders/4111…, is a thing of the service's, unless it says that it is a card. */
static bool in_path(const struct text *t, size_t start)
{
	struct keyname key;
	return text_at(t, start - 1) == '/' && is_alnum(text_at(t, start - 2)) && keyname_before(t, start, &key) &&
	       !keyname_card(&key);
}

/* One of a row of numbers that blanks divide, as counters are printed, or the value of a metric: name{label="x"} 4532…. What follows a card is
 * its date or its code. */
static bool one_of_row(const struct text *t, size_t start, size_t end)
{
	size_t i = end + 1;
	if (text_at(t, start - 1) != ' ')
		return false;
	if (text_at(t, start - 2) == '}')
		return true;
	while (i - end < 20 && is_digit(text_at(t, i)))
		i++;
	bool goes_on = text_at(t, i) == ' ' && is_digit(text_at(t, i + 1));
	return i - end > 5 && text_at(t, end) == ' ' && (goes_on || is_digit(text_at(t, start - 2)));
}

bool card_at(const struct text *t, size_t at, bool named, struct span *ret)
{
	char digits[CARD_DIGITS_MAX + 1];
	size_t group[6] = {0}, n = 0, groups = 1, best_groups = 0, i = at;
	uint8_t separator = 0;
	struct span best = {0};
	for (;; i++) {
		uint8_t c = text_at(t, i);
		if (is_digit(c)) {
			if (n == CARD_DIGITS_MAX) {
				n++;
				break;
			}
			digits[n++] = (char)c;
			group[groups - 1]++;
			continue;
		}
		/* the end of a group: a whole card may end here although more groups follow ("4111 1111 1111 1111 12/29") */
		if (n >= 12 && grouped_well(group, groups) && stands_alone(t, at, i) && issued(digits, n, named) &&
		    luhn_holds(digits, n) && !all_same(digits, n) && !row_of_fours(t, at, i))
			best = (struct span){at, i}, best_groups = groups;
		if ((c != ' ' && c != '-') || !is_digit(text_at(t, i + 1)) || groups == 5 || (separator != 0 && c != separator))
			break;
		separator = c;
		groups++;
	}
	if (best.end == 0)
		return false;
	struct keyname key;
	bool has_key = !named && keyname_before(t, at, &key) && !keyname_card(&key);
	if (has_key && groups == 1 && keyname_thing(&key))
		return false;
	if (has_key && keyname_counts(&key)) {
		/* "value" is what anything may be: a number as cards are printed, or in quotes, is more than a measurement */
		bool printed = groups > 1 || is_quote(text_at(t, at - 1)) || text_at(t, at - 1) == '>';
		if (!printed || !keyname_ends(&key, "value"))
			return false;
	}
	if (!named && groups == 1 && (one_of_ids(t, best.start, best.end) || in_path(t, best.start)))
		return false;
	if (!named && best_groups == 1 && one_of_row(t, best.start, best.end))
		return false;
	*ret = best;
	return true;
}
