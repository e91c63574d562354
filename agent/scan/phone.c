/*
 * Phone numbers: international ones by country code and length (ITU-T E.164), national ones only after a key that names a phone.
 */
#include <string.h>

#include "scan/keyname.h"
#include "scan/validators.h"

#define SHORT 10U /* digits: fewer are often something else */
#define E164_MAX 15U
#define GROUP_LONG 5 /* digits */

/* Country code, and the fewest and most digits that follow it. */
static const struct code {
	uint16_t code;
	uint8_t min, max;
} codes[] = {
	{1, 10, 10},  {7, 10, 10},  {20, 8, 10},  {211, 9, 9},  {212, 9, 9},  {213, 8, 9},  {216, 8, 8},  {218, 8, 9},
	{220, 7, 7},  {221, 9, 9},  {222, 8, 8},  {223, 8, 8},  {224, 8, 9},  {225, 8, 10}, {226, 8, 8},  {227, 8, 8},
	{228, 8, 8},  {229, 8, 10}, {230, 7, 8},  {231, 7, 9},  {232, 8, 8},  {233, 8, 9},  {234, 8, 11}, {235, 8, 8},
	{236, 8, 8},  {237, 8, 9},  {238, 7, 7},  {239, 7, 7},  {240, 9, 9},  {241, 7, 8},  {242, 9, 9},  {243, 7, 9},
	{244, 9, 9},  {245, 7, 9},  {246, 7, 7},  {247, 4, 6},  {248, 7, 7},  {249, 9, 9},  {250, 8, 9},  {251, 9, 9},
	{252, 7, 9},  {253, 8, 8},  {254, 7, 10}, {255, 9, 9},  {256, 9, 9},  {257, 8, 8},  {258, 8, 9},  {260, 9, 9},
	{261, 9, 10}, {262, 9, 9},  {263, 5, 10}, {264, 8, 10}, {265, 7, 9},  {266, 8, 8},  {267, 7, 8},  {268, 8, 9},
	{269, 7, 7},  {27, 8, 10},  {290, 4, 5},  {291, 7, 7},  {297, 7, 7},  {298, 6, 6},  {299, 6, 6},  {30, 10, 11},
	{31, 7, 11},  {32, 8, 9},   {33, 9, 9},   {34, 9, 9},   {350, 8, 8},  {351, 9, 9},  {352, 4, 11}, {353, 7, 10},
	{354, 7, 9},  {355, 6, 9},  {356, 8, 8},  {357, 8, 8},  {358, 5, 12}, {359, 6, 9},  {36, 8, 9},   {370, 8, 8},
	{371, 8, 8},  {372, 7, 10}, {373, 8, 8},  {374, 8, 8},  {375, 6, 11}, {376, 6, 9},  {377, 8, 9},  {378, 6, 10},
	{380, 9, 10}, {381, 6, 12}, {382, 8, 9},  {383, 8, 9},  {385, 8, 9},  {386, 7, 8},  {387, 8, 9},  {389, 8, 8},
	{39, 6, 12},  {40, 9, 9},   {41, 9, 9},   {420, 9, 12}, {421, 6, 9},  {423, 7, 9},  {43, 4, 13},  {44, 7, 10},
	{45, 8, 8},   {46, 7, 10},  {47, 5, 8},   {48, 9, 10},  {49, 5, 13},  {500, 5, 5},  {501, 7, 7},  {502, 8, 8},
	{503, 8, 8},  {504, 8, 8},  {505, 8, 8},  {506, 8, 8},  {507, 7, 8},  {508, 6, 9},  {509, 8, 8},  {51, 8, 9},
	{52, 10, 11}, {53, 6, 8},   {54, 10, 11}, {55, 8, 11},  {56, 9, 9},   {57, 10, 10}, {58, 10, 10}, {590, 9, 9},
	{591, 8, 8},  {592, 7, 7},  {593, 8, 9},  {594, 9, 9},  {595, 6, 9},  {596, 9, 9},  {597, 6, 7},  {598, 7, 8},
	{599, 7, 8},  {60, 7, 10},  {61, 6, 10},  {62, 7, 12},  {63, 8, 11},  {64, 8, 10},  {65, 8, 8},   {66, 8, 9},
	{670, 7, 8},  {672, 6, 6},  {673, 7, 7},  {674, 7, 7},  {675, 7, 8},  {676, 5, 7},  {677, 5, 7},  {678, 5, 7},
	{679, 7, 7},  {680, 7, 7},  {681, 6, 6},  {682, 5, 5},  {683, 4, 7},  {685, 5, 7},  {686, 5, 8},  {687, 6, 6},
	{688, 5, 7},  {689, 6, 8},  {690, 4, 7},  {691, 7, 7},  {692, 7, 7},  {81, 9, 10},  {82, 8, 11},  {84, 7, 10},
	{850, 8, 10}, {852, 8, 9},  {853, 8, 8},  {855, 8, 9},  {856, 8, 10}, {86, 8, 11},  {880, 6, 10}, {886, 7, 10},
	{90, 10, 10}, {91, 10, 10}, {92, 8, 10},  {93, 9, 9},   {94, 9, 9},   {95, 6, 10},  {960, 7, 10}, {961, 7, 8},
	{962, 8, 9},  {963, 8, 9},  {964, 8, 10}, {965, 7, 8},  {966, 8, 9},  {967, 7, 9},  {968, 7, 9},  {970, 8, 9},
	{971, 8, 9},  {972, 8, 9},  {973, 8, 8},  {974, 7, 8},  {975, 7, 8},  {976, 8, 10}, {977, 8, 10}, {98, 8, 10},
	{992, 9, 9},  {993, 8, 8},  {994, 9, 9},  {995, 9, 9},  {996, 9, 9},  {998, 9, 9},
};

/* Of digits of which `first` stand together in front: what has a sign within its country code is none, "+4 326145". */
static bool number_holds(const char *digits, size_t n, size_t first)
{
	for (size_t len = 1; len <= 3 && len < n; len++) {
		unsigned int code = 0;
		for (size_t i = 0; i < len; i++)
			code = code * 10 + (unsigned int)(digits[i] - '0');
		for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
			if (codes[i].code == code)
				return first >= len && n - len >= codes[i].min && n - len <= codes[i].max;
		}
	}
	return false;
}

/* Digits from `at` on, divided by single separators or a bracketed group, until something else or E164_MAX. */
static size_t collect(const struct text *t, size_t at, char digits[E164_MAX + 1], size_t *ret_end, size_t ends[E164_MAX + 2])
{
	size_t n = 0, i = at;
	bool open = false;
	*ret_end = at;
	while (n <= E164_MAX) {
		uint8_t c = text_at(t, i), next = text_at(t, i + 1);
		if (is_digit(c)) {
			if (n == E164_MAX)
				return E164_MAX + 1;
			digits[n++] = (char)c;
			*ret_end = i + 1;
			ends[n] = i + 1;
		} else if (c == '(' && !open && is_digit(next)) {
			open = true;
		} else if (c == ')' && open) {
			open = false;
			*ret_end = n > 0 ? i + 1 : *ret_end;
		} else if (!((c == ' ' || c == '-' || c == '.' || c == '/') &&
			     (is_digit(next) || (next == '(' && is_digit(text_at(t, i + 2)))))) {
			break;
		}
		i++;
	}
	return n;
}

/* "+84 31-10-2018": a day behind a number. */
static bool is_date(const struct text *t, const struct span *s)
{
	size_t i = s->end;
	unsigned int widths[3] = {0}, n = 0;
	uint8_t divider = 0;
	for (; i > s->start && n < 3; i--) {
		uint8_t c = t->bytes[i - 1];
		if (is_digit(c)) {
			widths[n]++;
			continue;
		}
		if (++n == 3)
			break;
		if (divider != 0 && c != divider)
			return false;
		divider = c;
	}
	bool year = text_is(t, s->end - 4, "19") || text_is(t, s->end - 4, "20");
	return n == 3 && widths[0] == 4 && year && widths[1] <= 2 && widths[2] <= 2 && divider != ' ';
}

/* "+47 69261706" and nothing else on the line, or a size, "+4948562 kB": a counter and what it grew by. */
static bool is_measure(const struct text *t, const struct span *s)
{
	static const char *const units[] = {" kb", " mb", " gb", " kib", " mib", " bytes", " b ", " ms", " us", " ns", " s ", "%"};
	size_t signs = 0;
	for (size_t i = s->start + 1; i < s->end; i++)
		signs += !is_digit(t->bytes[i]) && t->bytes[i] != ' ';
	if (signs > 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (text_is(t, s->end, units[i]))
			return true;
	}
	bool first = s->start == 0 || t->bytes[s->start - 1] == '\n', last = s->end == t->len || t->bytes[s->end] == '\n';
	const uint8_t *blank = memrchr(t->bytes + s->start, ' ', s->end - s->start);
	/* its last group is as long as no group of a telephone's is */
	return first && last && blank != NULL && t->bytes + s->end - blank > GROUP_LONG;
}

/* "build +39314290": a short number without a blank, after a word that counts. */
static bool is_counted(const struct text *t, size_t at)
{
	struct keyname name;
	return text_at(t, at - 1) == ' ' && keyname_before(t, at - 1, &name) && keyname_counts(&name);
}

bool phone_at(const struct text *t, size_t at, struct span *ret)
{
	uint8_t before = text_at(t, at - 1);
	if (is_word(before) || before == '+' || before == '/' || before == '-' || text_at(t, at + 1) == '0')
		return false;
	char digits[E164_MAX + 1];
	size_t end, ends[E164_MAX + 2];
	size_t n = collect(t, at + 1, digits, &end, ends);
	size_t first = 1;
	while (first < n && first <= E164_MAX && ends[first + 1] == ends[first] + 1)
		first++;
	/* what follows after a space may be another number: give digits back group by group */
	if (n > E164_MAX)
		n = E164_MAX;
	for (; n >= 7; n--) {
		uint8_t after = text_at(t, ends[n]);
		if (is_word(after) || (after == '.' && is_digit(text_at(t, ends[n] + 1))))
			continue;
		if (number_holds(digits, n, first)) {
			const struct span whole = {at, ends[n]};
			if (is_date(t, &whole) || is_measure(t, &whole) || (n < SHORT && first >= n && is_counted(t, at)))
				return false;
			*ret = whole;
			return true;
		}
	}
	return false;
}

bool phone_national_at(const struct text *t, size_t at, struct span *ret)
{
	char digits[E164_MAX + 1];
	size_t end, ends[E164_MAX + 2];
	if (text_at(t, at) == '+')
		return phone_at(t, at, ret);
	size_t n = collect(t, at, digits, &end, ends);
	if (n < 7 || n > 13 || is_word(text_at(t, end)) || (text_at(t, end) == '.' && is_digit(text_at(t, end + 1))))
		return false;
	if (memcmp(digits, digits + 1, n - 1) == 0)
		return false;
	*ret = (struct span){at, end};
	return true;
}
