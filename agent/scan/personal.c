/*
 * What only a key tells from any other number or word: card verification codes, birth dates, coordinates, diagnosis codes and names.
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define GEO_PLACES 3U    /* digits after the point that tell a place from a measure */
#define GEO_FRACTION 15U /* and no more than a double has */

bool cvv_at(const struct text *t, size_t at, struct span *ret)
{
	size_t end = at;
	while (end - at < 5 && is_digit(text_at(t, end)))
		end++;
	if (end - at < 3 || end - at > 4 || is_word(text_at(t, end)) || (text_at(t, end) == '.' && is_digit(text_at(t, end + 1))))
		return false;
	*ret = (struct span){at, end};
	return true;
}

/* How many digits there are at *i, at most `max`; moves *i behind them. */
static size_t pass_digits(const struct text *t, size_t *i, size_t max)
{
	size_t begin = *i;
	while (is_digit(text_at(t, *i)) && *i - begin < max)
		(*i)++;
	return *i - begin;
}

/* The number at *i, of at most `max` digits, which an int must hold: 9 at most; moves *i behind it. */
static int number(const struct text *t, size_t *i, size_t max, size_t *ret_digits)
{
	int value = 0;
	size_t begin = *i;
	*ret_digits = pass_digits(t, i, max);
	for (size_t k = begin; k < *i; k++)
		value = value * 10 + t->bytes[k] - '0';
	return value;
}

/* A month's name at *i, as it is or its first three letters: 1 … 12, and *i after it. */
static int month_name(const struct text *t, size_t *i)
{
	static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
					     "july",    "august",   "september", "october", "november", "december"};
	for (int m = 0; m < 12; m++) {
		size_t n = 0;
		while (months[m][n] != 0 && lower(text_at(t, *i + n)) == (uint8_t)months[m][n])
			n++;
		if (n >= 3 && (n == 3 || months[m][n] == 0) && !is_alpha(text_at(t, *i + n))) {
			*i += n + (text_at(t, *i + n) == '.' ? 1 : 0);
			return m + 1;
		}
	}
	return 0;
}

static void skip_between(const struct text *t, size_t *i)
{
	for (size_t n = 0; n < 2 && (text_at(t, *i) == ' ' || text_at(t, *i) == '-' || text_at(t, *i) == ','); n++)
		(*i)++;
}

/* 19 Jun 1974, 19-JUN-1974, June 19, 1974. */
static bool written_date_at(const struct text *t, size_t at, struct span *ret)
{
	size_t i = at, day_digits, year_digits;
	bool day_first = is_digit(text_at(t, at));
	int day = day_first ? number(t, &i, 2, &day_digits) : 0;
	if (day_first)
		skip_between(t, &i);
	int month = month_name(t, &i);
	if (month == 0)
		return false;
	skip_between(t, &i);
	if (!day_first) {
		day = number(t, &i, 2, &day_digits);
		skip_between(t, &i);
	}
	int year = number(t, &i, 4, &year_digits);
	if (year_digits != 4 || is_word(text_at(t, i)) || !birth_date_holds(year, month, day))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool birth_date_at(const struct text *t, size_t at, struct span *ret)
{
	if (written_date_at(t, at, ret))
		return true;
	size_t i = at, digits[3];
	int part[3];
	part[0] = number(t, &i, 8, &digits[0]);
	if (digits[0] == 8) {
		/* 19840131 */
		if (is_word(text_at(t, i)) || !birth_date_holds(part[0] / 10000, part[0] / 100 % 100, part[0] % 100))
			return false;
		*ret = (struct span){at, i};
		return true;
	}
	uint8_t separator = text_at(t, i);
	if (separator != '-' && separator != '/' && separator != '.')
		return false;
	i++;
	part[1] = number(t, &i, 2, &digits[1]);
	if (digits[1] == 0 || text_at(t, i) != separator)
		return false;
	i++;
	part[2] = number(t, &i, 4, &digits[2]);
	if (is_digit(text_at(t, i)))
		return false;
	if (digits[0] == 4) {
		if (digits[2] == 0 || digits[2] > 2 || !birth_date_holds(part[0], part[1], part[2]))
			return false;
	} else {
		int year = digits[2] == 2 ? 1900 + part[2] : part[2];
		if (digits[0] == 0 || digits[0] > 2 || (digits[2] != 4 && digits[2] != 2))
			return false;
		if (!birth_date_holds(year, part[1], part[0]) && !birth_date_holds(year, part[0], part[1]))
			return false;
	}
	*ret = (struct span){at, i};
	return true;
}

/* A decimal number with at least `least` digits after the point, |value| ≤ limit. Where it ends, or 0. */
static size_t degrees(const struct text *t, size_t i, int limit, size_t least)
{
	size_t whole;
	if (text_at(t, i) == '-' || text_at(t, i) == '+')
		i++;
	int value = number(t, &i, 3, &whole);
	if (whole == 0 || text_at(t, i) != '.' || value > limit)
		return 0;
	i++;
	return pass_digits(t, &i, GEO_FRACTION) >= least ? i : 0;
}

/* Behind "lon", "lng", "longitude" and what stands before their value, at i; i itself where none of them is there. */
static size_t past_longitude(const struct text *t, size_t i)
{
	static const char *const names[] = {"longitude", "long", "lng", "lon"};
	size_t k = i;
	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		if (!text_is(t, i, names[n]))
			continue;
		for (k += strlen(names[n]); k - i < 16 && text_at(t, k) != 0 && strchr("\"'\\:=> ", text_at(t, k)) != NULL; k++)
			;
		return k;
	}
	return i;
}

bool geo_at(const struct text *t, size_t at, bool named_lat, struct span *ret)
{
	size_t i = degrees(t, at, 90, GEO_PLACES);
	if (i == 0)
		return false;
	while (text_at(t, i) != 0 && strchr(", ;\"'\\&:", text_at(t, i)) != NULL) {
		if (++i - at > 32)
			return false;
	}
	size_t second = past_longitude(t, i);
	/* "lat" alone is a latency, too */
	size_t least = named_lat && second == i ? GEO_PLACES + 1 : GEO_PLACES, end = degrees(t, second, 180, least);
	if (end == 0 || is_alnum(text_at(t, end)) || degrees(t, at, 90, least) == 0)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool health_code_at(const struct text *t, size_t at, struct span *ret)
{
	/* ICD-10: a letter, two digits (the last may be a letter), and up to four characters after a point */
	if (!is_upper(text_at(t, at)) || !is_digit(text_at(t, at + 1)) ||
	    !(is_digit(text_at(t, at + 2)) || is_upper(text_at(t, at + 2))))
		return false;
	size_t end = at + 3;
	if (text_at(t, end) == '.' && is_alnum(text_at(t, end + 1))) {
		size_t from = ++end;
		while (end - from < 4 && (is_digit(text_at(t, end)) || is_upper(text_at(t, end))))
			end++;
	}
	/* "diagnosis: E11 not found": a code of three characters that a sentence goes on behind is one of an error */
	bool goes_on = end == at + 3 && text_at(t, end) == ' ' && is_lower(text_at(t, end + 1));
	if (is_word(text_at(t, end)) || goes_on)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool person_name_at(const struct text *t, size_t at, struct span *ret)
{
	/* one to four words of letters, the first with a capital; bytes ≥ 0x80 are letters of UTF-8 */
	size_t i = at, words = 0, end = at;
	if (!is_upper(text_at(t, at)) && text_at(t, at) < 0x80)
		return false;
	while (words < 4 && (is_upper(text_at(t, i)) || text_at(t, i) >= 0x80)) {
		size_t begin = i;
		while (i - at < 64 &&
		       (is_alpha(text_at(t, i)) || text_at(t, i) >= 0x80 || text_at(t, i) == '\'' || text_at(t, i) == '-'))
			i++;
		if (i - begin < 2)
			break;
		words++;
		end = i;
		if (text_at(t, i) != ' ')
			break;
		i++;
	}
	/* "First name": what a form calls the field; "Anna de Vries" goes on in small letters, too */
	if (is_quote(text_at(t, at - 1)) && words == 1 && text_is(t, end, " name"))
		return false;
	while (end > at && (t->bytes[end - 1] == '\'' || t->bytes[end - 1] == '-'))
		end--;
	if (end < at + 2 || is_digit(text_at(t, end)) || text_at(t, end) == '_' || is_placeholder(t->bytes + at, end - at))
		return false;
	*ret = (struct span){at, end};
	return true;
}
