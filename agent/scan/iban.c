/*
 * IBAN (ISO 13616): country, the country's length, where letters may stand, mod 97; written together or in groups of four.
 */
#include <string.h>

#include "scan/validators.h"

#define IBAN_MAX 34U

/* Country and length, from the IBAN registry. */
static const char lengths[][5] = {
	"AD24", "AE23", "AL28", "AT20", "AZ28", "BA20", "BE16", "BG22", "BH22", "BI27", "BR29", "BY28", "CH21", "CR22", "CY28",
	"CZ24", "DE22", "DJ27", "DK18", "DO28", "EE20", "EG29", "ES24", "FI18", "FK18", "FO18", "FR27", "GB22", "GE22", "GI23",
	"GL18", "GR27", "GT28", "HN28", "HR21", "HU28", "IE22", "IL23", "IQ23", "IS26", "IT27", "JO30", "KW30", "KZ20", "LB28",
	"LC32", "LI21", "LT20", "LU20", "LV21", "LY25", "MC27", "MD24", "ME22", "MK19", "MN20", "MR27", "MT31", "MU30", "NI28",
	"NL18", "NO15", "OM23", "PK24", "PL28", "PS29", "PT25", "QA29", "RO24", "RS22", "RU33", "SA24", "SC31", "SD18", "SE24",
	"SI19", "SK24", "SM27", "SO23", "ST25", "SV28", "TL23", "TN24", "TR26", "UA29", "VA22", "VG24", "XK20", "YE30",
};

/* Where all that follows the country is digits. */
static const char digits_only[] =
	"AE AT BA BE BI CR CZ DE DJ DK EE ES FI FO GL HR HU IL IS LT LY ME MR NO PL PT RS SD SE SI SK TL TN XK ";

static bool letters_fit(const char *iban, size_t n)
{
	char country[4] = {iban[0], iban[1], ' ', 0};
	bool digits = strstr(digits_only, country) != NULL;
	for (size_t i = 2; i < n; i++) {
		if (!is_digit((uint8_t)iban[i]) && (digits || i < 4))
			return false;
	}
	return true;
}

static size_t length_of(const char *country)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		if (memcmp(lengths[i], country, 2) == 0)
			return (size_t)(lengths[i][2] - '0') * 10 + (size_t)(lengths[i][3] - '0');
	}
	return 0;
}

static bool mod97_holds(const char *iban, size_t n)
{
	unsigned int rest = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)iban[(i + 4) % n];
		rest = is_digit(c) ? (rest * 10 + (unsigned int)(c - '0')) % 97 : (rest * 100 + (unsigned int)(c - 'A' + 10)) % 97;
	}
	return rest == 1;
}

bool iban_at(const struct text *t, size_t at, bool named, struct span *ret)
{
	char iban[IBAN_MAX];
	if (is_word(text_at(t, at - 1)))
		return false;
	char country[2] = {(char)(text_at(t, at) & 0xdf), (char)(text_at(t, at + 1) & 0xdf)};
	size_t want = length_of(country), n = 0, i = at;
	if (want == 0)
		return false;
	uint8_t separator = 0;
	while (n < want) {
		uint8_t c = text_at(t, i);
		if (is_alnum(c)) {
			iban[n++] = (char)(is_lower(c) ? c & 0xdf : c);
			i++;
		} else if ((c == ' ' || c == '-') && n > 0 && (named || (n % 4 == 0 && (separator == 0 || separator == c))) &&
			   is_alnum(text_at(t, i + 1))) {
			separator = c;
			i++;
		} else {
			return false;
		}
	}
	if (is_word(text_at(t, i)) || !letters_fit(iban, n) || !mod97_holds(iban, n))
		return false;
	*ret = (struct span){at, i};
	return true;
}
