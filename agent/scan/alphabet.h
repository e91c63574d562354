/*
 * What keys of vendors and services are made of (vendors.def, services.def). Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_ALPHABET_H
#define GAPSCOPE_SCAN_ALPHABET_H

#include "scan/text.h"

enum alphabet {
	HEX,
	UPPER,  /* A–Z 0–9 */
	ALNUM,  /* A–Z a–z 0–9 */
	WORD,   /* ALNUM _ - */
	DOTTED, /* WORD and '.' */
	BANGED, /* A–Z a–z 0–9 _ . ! */
	BASE64, /* DOTTED and + / = ~ % : */
};

static inline bool in_alphabet(enum alphabet a, uint8_t c)
{
	switch (a) {
	case HEX:
		return is_hex(c);
	case UPPER:
		return is_upper(c) || is_digit(c);
	case ALNUM:
		return is_alnum(c);
	case WORD:
		return is_word(c) || c == '-';
	case DOTTED:
		return is_word(c) || c == '-' || c == '.';
	case BANGED:
		return is_word(c) || c == '.' || c == '!';
	case BASE64:
		return is_word(c) || c == '-' || c == '.' || c == '+' || c == '/' || c == '=' || c == '~' || c == '%' || c == ':';
	}
	return false;
}

#endif
