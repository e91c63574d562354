/*
 * National ids: the check of each, from the issuing authority's published rule, and reading one with its usual separators. Digits
 * without a shape of their own are only looked at where a key names the id.
 */
#include <string.h>

#include "scan/validators.h"

#define ID_MAX 20U
#define LENGTHS 3U
#define SIGN_BYTES 8U

/* Nobody who is born after this year has an id yet. */
#define BORN_BY 2036

static int digit(const char *v, size_t i)
{
	return v[i] - '0';
}

static int number(const char *v, size_t from, size_t n)
{
	int value = 0;
	for (size_t i = from; i < from + n; i++)
		value = value * 10 + digit(v, i);
	return value;
}

static bool digits_only(const char *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_digit((uint8_t)v[i]))
			return false;
	}
	return true;
}

static bool all_same(const char *v, size_t n)
{
	return memcmp(v, v + 1, n - 1) == 0;
}

static int weighted(const char *v, const int8_t *weight, size_t n)
{
	int sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += weight[i] * digit(v, i);
	return sum;
}

/* Is month and day, read as digits, a day of some year? */
static bool day_holds(int month, int day)
{
	return birth_date_holds(2000, month, day);
}

static int mod11_digit(int sum)
{
	int rest = sum % 11;
	return rest < 2 ? 0 : 11 - rest;
}

static bool cpf(const char *v, size_t n)
{
	static const int8_t w[] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
	(void)n;
	return !all_same(v, 11) && digit(v, 9) == mod11_digit(weighted(v, w + 1, 9)) &&
	       digit(v, 10) == mod11_digit(weighted(v, w, 10));
}

/* The first twelve may be letters since 2026: a character counts as its code less that of '0'. */
static bool cnpj(const char *v, size_t n)
{
	static const int8_t w[] = {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2};
	return digits_only(v + 12, n - 12) && !all_same(v, 14) && digit(v, 12) == mod11_digit(weighted(v, w + 1, 12)) &&
	       digit(v, 13) == mod11_digit(weighted(v, w, 13));
}

static bool sin_ca(const char *v, size_t n)
{
	return v[0] != '0' && v[0] != '8' && luhn_holds(v, n);
}

static bool nif_es(const char *v, size_t n)
{
	char copy[9];
	memcpy(copy, v, 9);
	if (copy[0] >= 'X' && copy[0] <= 'Z')
		copy[0] = (char)('0' + copy[0] - 'X');
	else if (copy[0] == 'K' || copy[0] == 'L' || copy[0] == 'M')
		copy[0] = '0';
	return n == 9 && digits_only(copy, 8) && copy[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number(copy, 0, 8) % 23];
}

static bool hetu(const char *v, size_t n)
{
	/* ddmmyy, the century's sign, three digits, check character */
	if (n != 11 || !digits_only(v, 6) || strchr("+-ABCDEFUVWXY", v[6]) == NULL || !digits_only(v + 7, 3))
		return false;
	return day_holds(number(v, 2, 2), number(v, 0, 2)) && number(v, 7, 3) >= 2 &&
	       v[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[(number(v, 0, 6) * 1000 + number(v, 7, 3)) % 31];
}

static bool nir_fr(const char *v, size_t n)
{
	char copy[16];
	memcpy(copy, v, n);
	int64_t corsica = 0;
	if (copy[5] == '2' && (copy[6] == 'A' || copy[6] == 'B')) {
		corsica = copy[6] == 'A' ? 1000000 : 2000000;
		copy[6] = '0';
	}
	if (!digits_only(copy, 15) || copy[0] < '1' || copy[0] > '8')
		return false;
	int month = number(copy, 3, 2);
	int64_t body = (int64_t)number(copy, 0, 6) * 10000000 + number(copy, 6, 7) - corsica;
	return ((month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50) &&
	       number(copy, 13, 2) == (int)(97 - body % 97);
}

static bool codice_fiscale(const char *v, size_t n)
{
	static const int8_t odd_digit[] = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21};
	static const int8_t odd_letter[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
					    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
	/* a company's is its VAT number */
	if (n == 11)
		return digits_only(v, n) && !all_same(v, n) && luhn_holds(v, n);
	if (n != 16 || strchr("ABCDEHLMPRST", v[8]) == NULL)
		return false;
	int sum = 0;
	for (size_t i = 0; i < 15; i++) {
		bool letter_place = i < 6 || i == 8 || i == 11;
		bool letter = is_upper((uint8_t)v[i]);
		/* digits may be replaced by letters where two people would share a code */
		if (letter_place ? !letter : letter && strchr("LMNPQRSTUV", v[i]) == NULL)
			return false;
		if (i % 2 == 0)
			sum += letter ? odd_letter[v[i] - 'A'] : odd_digit[digit(v, i)];
		else
			sum += letter ? v[i] - 'A' : digit(v, i);
	}
	if (is_digit((uint8_t)v[9]) && is_digit((uint8_t)v[10])) {
		int day = number(v, 9, 2);
		if (day < 1 || (day > 31 && day < 41) || day > 71)
			return false;
	}
	return v[15] == 'A' + sum % 26;
}

static bool bsn(const char *v, size_t n)
{
	static const int8_t w[] = {9, 8, 7, 6, 5, 4, 3, 2, -1};
	/* leading zeros are often lost */
	return !all_same(v, n) && weighted(v, w + 9 - n, n) % 11 == 0;
}

/* By its check digit alone: a key names it, and numbers that tests and migrations make up have dates that are none. */
static bool pesel(const char *v, size_t n)
{
	static const int8_t w[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
	return !all_same(v, n) && weighted(v, w, 11) % 10 == 0;
}

static bool personnummer(const char *v, size_t n)
{
	if (n == 12) {
		v += 2;
		n = 10;
	}
	int day = number(v, 4, 2);
	/* coordination numbers add 60 to the day */
	return n == 10 && day_holds(number(v, 2, 2), day > 60 ? day - 60 : day) && luhn_holds(v, 10);
}

static bool ric_cn(const char *v, size_t n)
{
	static const int8_t w[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	return n == 18 && digits_only(v, 17) && birth_date_holds(number(v, 6, 4), number(v, 10, 2), number(v, 12, 2)) &&
	       v[17] == "10X98765432"[weighted(v, w, 17) % 11];
}

static bool rrn_kr(const char *v, size_t n)
{
	static const int8_t w[] = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
	(void)n;
	return day_holds(number(v, 2, 2), number(v, 4, 2)) && digit(v, 12) == (11 - weighted(v, w, 12) % 11) % 10;
}

static bool tfn(const char *v, size_t n)
{
	static const int8_t nine[] = {1, 4, 3, 7, 5, 8, 6, 9, 10}, eight[] = {10, 7, 8, 4, 6, 3, 5, 1};
	return !all_same(v, n) && (n == 9 ? weighted(v, nine, 9) : weighted(v, eight, 8)) % 11 == 0;
}

static bool nino(const char *v, size_t n)
{
	static const char *const unused[] = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
	if (n != 9 || !is_upper((uint8_t)v[0]) || !is_upper((uint8_t)v[1]) || !digits_only(v + 2, 6) || v[8] < 'A' || v[8] > 'D')
		return false;
	for (size_t i = 0; i < sizeof(unused) / sizeof(*unused); i++) {
		if (memcmp(unused[i], v, 2) == 0)
			return false;
	}
	return strchr("DFIQUV", v[0]) == NULL && strchr("DFIQUVO", v[1]) == NULL;
}

static bool nhs(const char *v, size_t n)
{
	static const int8_t w[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
	return n == 10 && !all_same(v, 10) && weighted(v, w, 10) % 11 == 0;
}

static bool aadhaar(const char *v, size_t n)
{
	/* Verhoeff: the dihedral group of order ten, as products computed instead of tabled */
	static const uint8_t permute[8][10] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
		{8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
		{2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
	};
	unsigned int c = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned int d = permute[i % 8][digit(v, n - 1 - i)];
		unsigned int turn = c < 5 ? (c + d) % 5 : (c + 5 - d % 5) % 5;
		c = (c < 5) == (d < 5) ? turn : 5 + turn;
	}
	return v[0] > '1' && c == 0;
}

static bool steuer_id(const char *v, size_t n)
{
	int product = 10, seen[10] = {0}, repeated = 0;
	for (size_t i = 0; i + 1 < n; i++) {
		int sum = (digit(v, i) + product) % 10;
		product = (sum == 0 ? 10 : sum) * 2 % 11;
		seen[digit(v, i)]++;
	}
	for (size_t i = 0; i < 10; i++)
		repeated += seen[i] > 1;
	return v[0] != '0' && repeated == 1 && (11 - product) % 10 == digit(v, n - 1);
}

static bool nn_be(const char *v, size_t n)
{
	(void)n;
	int64_t body = number(v, 0, 9);
	int check = number(v, 9, 2);
	return number(v, 2, 2) % 20 <= 12 && (97 - body % 97 == check || 97 - (body + 2000000000) % 97 == check);
}

static bool cpr(const char *v, size_t n)
{
	(void)n;
	/* the seventh digit tells the century: 5 to 8 are people born before 1900 or until 2057, of whom none is born yet */
	int year = number(v, 4, 2), series = digit(v, 6);
	bool later = (series == 4 || series == 9) && year <= 36, other = series >= 5 && series <= 8;
	int full = other ? (year <= 57 ? 2000 : 1800) + year : (later ? 2000 : 1900) + year;
	return full <= BORN_BY && birth_date_holds(full > 1880 ? full : 2000, number(v, 2, 2), number(v, 0, 2));
}

static bool fnr(const char *v, size_t n)
{
	static const int8_t first[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1}, second[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
	(void)n;
	int day = number(v, 0, 2), month = number(v, 2, 2);
	return day_holds(month > 40 ? month - 40 : month, day > 40 ? day - 40 : day) && weighted(v, first, 10) % 11 == 0 &&
	       weighted(v, second, 11) % 11 == 0;
}

static bool ahv(const char *v, size_t n)
{
	static const int8_t w[] = {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1};
	(void)n;
	return memcmp(v, "756", 3) == 0 && weighted(v, w, 13) % 10 == 0;
}

static bool nif_pt(const char *v, size_t n)
{
	static const int8_t w[] = {9, 8, 7, 6, 5, 4, 3, 2};
	(void)n;
	return v[0] != '0' && digit(v, 8) == mod11_digit(weighted(v, w, 8));
}

static bool tckn(const char *v, size_t n)
{
	(void)n;
	int odd = digit(v, 0) + digit(v, 2) + digit(v, 4) + digit(v, 6) + digit(v, 8);
	int even = digit(v, 1) + digit(v, 3) + digit(v, 5) + digit(v, 7);
	int tenth = ((odd * 7 - even) % 10 + 10) % 10;
	return v[0] != '0' && digit(v, 9) == tenth && digit(v, 10) == (odd + even + tenth) % 10;
}

static bool vin(const char *v, size_t n)
{
	static const int8_t w[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
	static const int8_t letter[] = {1, 2, 3, 4, 5, 6, 7, 8, -1, 1, 2, 3, 4, 5, -1, 7, -1, 9, 2, 3, 4, 5, 6, 7, 8, 9};
	int sum = 0;
	for (size_t i = 0; i < n; i++) {
		int value = is_digit((uint8_t)v[i]) ? digit(v, i) : letter[v[i] - 'A'];
		if (value < 0)
			return false;
		sum += value * w[i];
	}
	return v[8] == "0123456789X"[sum % 11];
}

static bool imei(const char *v, size_t n)
{
	/* with the software's version instead of the check digit it has 16 */
	return !all_same(v, n) && (n == 16 || luhn_holds(v, n));
}

static bool id_card_de(const char *v, size_t n)
{
	static const int8_t w[] = {7, 3, 1};
	/* nine characters and the check digit, and D for the nationality */
	if (v[n - 1] == 'D')
		n--;
	int sum = 0;
	for (size_t i = 0; i < 9; i++)
		sum += w[i % 3] * (is_digit((uint8_t)v[i]) ? digit(v, i) : v[i] - 'A' + 10);
	return n >= 9 && n <= 10 && !all_same(v, 9) && (n == 9 ? !digits_only(v, 9) : sum % 10 == digit(v, 9));
}

/* What each id looks like once separators are gone: lengths, whether it is of digits only, its check. */
static const struct national {
	enum entity_id entity;
	uint8_t lengths[LENGTHS];
	bool digits;
	bool (*holds)(const char *v, size_t n);
} nationals[] = {
	{ENTITY_BR_CPF, {11}, true, cpf},
	{ENTITY_BR_CNPJ, {14}, false, cnpj},
	{ENTITY_CA_SIN, {9}, true, sin_ca},
	{ENTITY_ES_NIF, {9}, false, nif_es},
	{ENTITY_FI_HETU, {11}, false, hetu},
	{ENTITY_FR_NIR, {15}, false, nir_fr},
	{ENTITY_IT_CODICE_FISCALE, {16, 11}, false, codice_fiscale},
	{ENTITY_NL_BSN, {9, 8, 7}, true, bsn},
	{ENTITY_PL_PESEL, {11}, true, pesel},
	{ENTITY_SE_PERSONNUMMER, {12, 10}, true, personnummer},
	{ENTITY_CN_RIC, {18}, false, ric_cn},
	{ENTITY_KR_RRN, {13}, true, rrn_kr},
	{ENTITY_AU_TFN, {9, 8}, true, tfn},
	{ENTITY_UK_NINO, {9}, false, nino},
	{ENTITY_UK_NHS, {10}, true, nhs},
	{ENTITY_IN_AADHAAR, {12}, true, aadhaar},
	{ENTITY_DE_STEUER_ID, {11}, true, steuer_id},
	{ENTITY_BE_NN, {11}, true, nn_be},
	{ENTITY_DK_CPR, {10}, true, cpr},
	{ENTITY_NO_FNR, {11}, true, fnr},
	{ENTITY_CH_AHV, {13}, true, ahv},
	{ENTITY_PT_NIF, {9}, true, nif_pt},
	{ENTITY_TR_TCKN, {11}, true, tckn},
	{ENTITY_VIN, {17}, false, vin},
	{ENTITY_IMEI, {15, 16}, true, imei},
	{ENTITY_DE_ID_CARD, {11, 10}, false, id_card_de},
	{ENTITY_US_SSN, {9}, true, us_ssn_holds},
	{ENTITY_US_ITIN, {9}, true, us_itin_holds},
};

static const struct national *national_find(enum entity_id entity)
{
	for (size_t i = 0; i < sizeof(nationals) / sizeof(*nationals); i++) {
		if (nationals[i].entity == entity)
			return &nationals[i];
	}
	return NULL;
}

bool national_holds(enum entity_id entity, const char *value, size_t n)
{
	const struct national *id = national_find(entity);
	if (id == NULL || n == 0 || memchr(id->lengths, (int)n, LENGTHS) == NULL)
		return false;
	return (!id->digits || digits_only(value, n)) && id->holds(value, n);
}

/* Where what stands between two characters of an id ends, or 0: dots, dashes, spaces and the like, as people type them. */
static size_t joint_end(const struct text *t, size_t i, size_t n)
{
	for (size_t from = i; i - from < 6; i++) {
		uint8_t c = text_at(t, i);
		if (is_alnum(c))
			return i;
		if (c == 0xe2 && text_at(t, i + 1) == 0x80 && text_at(t, i + 2) == 0x93)
			i += 2; /* an en dash */
		else if (c != ' ' && c != '-' && c != '.' && c != '/' && c != '_' && !(c == '+' && n == 6))
			return 0;
	}
	return 0;
}

/* Does a lone digit or two follow the id, and then nothing? Then it was a longer number. */
static bool goes_on(const struct text *t, size_t end)
{
	size_t i = end + 1;
	if (text_at(t, end) != ' ' && text_at(t, end) != '-')
		return false;
	while (is_digit(text_at(t, i)))
		i++;
	return i > end + 1 && i <= end + 3 && (i >= t->len || t->bytes[i] == '\n');
}

bool national_at(const struct text *t, size_t at, enum entity_id entity, struct span *ret)
{
	const struct national *id = national_find(entity);
	char value[ID_MAX];
	size_t n = 0, end[ID_MAX + 1];
	if (id == NULL)
		return false;
	/* a sign beyond ASCII between the key and the number: an arrow, a quote, a flag */
	for (size_t from = at; at - from < SIGN_BYTES && text_at(t, at) >= 0x80;)
		at++;
	size_t i = at;
	if (entity == ENTITY_PT_NIF && text_is(t, at, "pt"))
		at = i = text_at(t, at + 2) == ' ' ? at + 3 : at + 2;
	while (n < ID_MAX) {
		uint8_t c = text_at(t, i);
		/* the sign of a HETU is part of it: it tells the century */
		bool sign = entity == ENTITY_FI_HETU && n == 6 && (c == '-' || c == '+');
		if (is_alnum(c) || sign) {
			value[n++] = (char)(is_lower(c) ? c & 0xdf : c);
			end[n] = i + 1;
		} else if (n == 0 || entity == ENTITY_FI_HETU) {
			break;
		} else {
			size_t joint = joint_end(t, i, n);
			if (joint == 0)
				break;
			/* 3-2-4 or nothing between */
			if ((entity == ENTITY_US_SSN || entity == ENTITY_US_ITIN) && n != 3 && n != 5)
				break;
			i = joint;
			continue;
		}
		i++;
	}
	for (size_t l = 0; l < LENGTHS; l++) {
		size_t want = id->lengths[l];
		if (want > 0 && want <= n && !is_word(text_at(t, end[want])) && !goes_on(t, end[want]) &&
		    national_holds(entity, value, want)) {
			*ret = (struct span){at, end[want]};
			return true;
		}
	}
	return false;
}

bool codice_fiscale_at(const struct text *t, size_t at, struct span *ret)
{
	char value[16];
	for (size_t i = 0; i < 16; i++) {
		value[i] = (char)text_at(t, at + i);
		if (!is_upper((uint8_t)value[i]) && !is_digit((uint8_t)value[i]))
			return false;
	}
	if (is_word(text_at(t, at - 1)) || is_word(text_at(t, at + 16)) || !codice_fiscale(value, 16))
		return false;
	*ret = (struct span){at, at + 16};
	return true;
}
