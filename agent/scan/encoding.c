/*
 * Base64, entropy and placeholders (encoding.h).
 */
#include "scan/encoding.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 16U   /* longer than any word that stands for a value */
#define PART_SEEN 128U /* bytes of a value that are looked through for parts of a placeholder */

static int sextet(uint8_t c)
{
	if (is_upper(c))
		return c - 'A';
	if (is_lower(c))
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

size_t base64_decode(const uint8_t *in, size_t len, uint8_t *out, size_t size)
{
	while (len > 0 && in[len - 1] == '=')
		len--;
	if (len % 4 == 1 || len * 3 / 4 > size)
		return 0;
	uint32_t bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		int v = sextet(in[i]);
		if (v < 0)
			return 0;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 0)
			out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return n;
}

double entropy(const uint8_t *value, size_t len)
{
	uint16_t count[256] = {0}, highest = 0;
	if (len > 1024)
		len = 1024;
	for (size_t i = 0; i < len; i++) {
		uint16_t n = ++count[value[i]];
		highest = n > highest ? n : highest;
	}
	if (len == 0 || highest == len)
		return 0;
	/* each count's logarithm once, however many bytes have it: tokens have few different ones */
	double sum = 0;
	for (size_t i = 0; i < len; i++) {
		uint16_t n = count[value[i]];
		count[value[i]] = 0;
		if (n > 1)
			sum += n * log2(n);
	}
	return log2((double)len) - sum / (double)len;
}

static bool starts(const uint8_t *value, size_t len, const char *word)
{
	size_t n = strlen(word);
	return n <= len && strncasecmp((const char *)value, word, n) == 0;
}

/* Parts of what stands for a value, lower-case; first_of_part: how they begin. */
static const char *const parts[] = {"example",
				    "redacted",
				    "****",
				    "xxxx",
				    "....",
				    "changeme",
				    "your_",
				    "your-",
				    "<your",
				    "placeholder",
				    "\xe2\x80\xa2\xe2\x80\xa2",
				    "[filtered",
				    "{{"};
static const bool first_of_part[256] = {['e'] = true, ['r'] = true, ['*'] = true, ['x'] = true,  ['.'] = true, ['c'] = true,
					['y'] = true, ['<'] = true, ['p'] = true, [0xe2] = true, ['['] = true, ['{'] = true};

static bool holds_part(const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t first = lower(value[i]);
		for (size_t k = 0; first_of_part[first] && k < sizeof(parts) / sizeof(*parts); k++) {
			if ((uint8_t)parts[k][0] == first && starts(value + i, len - i, parts[k]))
				return true;
		}
	}
	return false;
}

/* $NAME of a shell: one case, hardly a digit. $2b$… of a hash or $x18jTO… of a generator is a value. */
static bool is_shell_name(const uint8_t *value, size_t len)
{
	size_t upper = 0, small = 0, digits = 0;
	if (len < 2 || value[0] != '$' || is_digit(value[1]))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!is_word(value[i]))
			return false;
		upper += is_upper(value[i]);
		small += is_lower(value[i]);
		digits += is_digit(value[i]);
	}
	return (upper == 0 || small == 0) && digits <= 2;
}

/* The name of a secret where a store of secrets keeps it. */
static bool is_reference(const uint8_t *value, size_t len)
{
	static const char *const stores[] = {"arn:aws", "vault:", "ssm:", "secretsmanager:", "keyvault:", "op://",
					     "ref+",    "env:",   "file:"};
	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++) {
		if (lower(value[0]) == (uint8_t)stores[i][0] && starts(value, len, stores[i]))
			return true;
	}
	return false;
}

bool is_placeholder(const uint8_t *value, size_t len)
{
	static const char *const words[] = {
		"value",       "null",        "none",       "nil",        "true",        "false",
		"undefined",   "string",      "str",        "text",       "empty",       "required",
		"redacted",    "filtered",    "hidden",     "masked",     "secret",      "password",
		"passwd",      "pass",        "token",      "invalid",    "incorrect",   "wrong",
		"missing",     "changed",     "expired",    "failed",     "failure",     "error",
		"is",          "not",         "for",        "the",        "unknown",     "default",
		"yes",         "no",          "ok",         "set",        "unset",       "reset",
		"updated",     "accepted",    "rejected",   "char",       "varchar",     "bool",
		"int",         "integer",     "object",     "array",      "optional",    "authentication",
		"auth",        "protected",   "provided",   "prompt",     "file",        "env",
		"vault",       "n/a",         "blank",      "encrypted",  "amd64",       "arm64",
		"armhf",       "armel",       "i386",       "ppc64el",    "riscv64",     "s390x",
		"aarch64",     "success",     "denied",     "bearer",     "basic",       "digest",
		"requis",      "obligatoire", "requerida",  "requerido",  "obligatorio", "erforderlich",
		"pflichtfeld", "falsch",      "incorrecta", "incorrecto", "incorrect",   "verplicht",
		"zorunlu",     "wymagane",
	};
	if (len == 0)
		return true;
	if (is_shell_name(value, len))
		return true;
	if (len > 3 && (value[0] == '$' || value[0] == '%' || value[0] == '#') && (value[1] == '(' || value[1] == '{'))
		return true;
	if ((value[0] == '<' && value[len - 1] == '>') || (value[0] == '[' && value[len - 1] == ']') ||
	    (value[0] == '(' && value[len - 1] == ')'))
		return true;
	if (len == 2 && value[0] == '%' && is_alpha(value[1]))
		return true;
	size_t distinct_from_first = 0;
	for (size_t i = 0; i < len; i++)
		distinct_from_first += lower(value[i]) != lower(value[0]);
	if (distinct_from_first == 0 && (len > 2 || !is_alnum(value[0])))
		return true;
	uint8_t first_letter = lower(value[0]);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words) && len <= WORD_MAX; i++) {
		if ((uint8_t)words[i][0] == first_letter && strlen(words[i]) == len && starts(value, len, words[i]))
			return true;
	}
	/* encrypted in place, as sops does; ***REMOVED***; where the value is kept */
	if (starts(value, len, "enc[") || (len > 4 && value[0] == '*' && value[1] == '*' && value[len - 1] == '*') ||
	    is_reference(value, len))
		return true;
	return holds_part(value, len < PART_SEEN ? len : PART_SEEN);
}

bool is_random(const uint8_t *value, size_t len)
{
	size_t digits = 0, letters = 0, others = 0;
	for (size_t i = 0; i < len; i++) {
		digits += is_digit(value[i]);
		letters += is_alpha(value[i]);
		others += !is_alnum(value[i]);
	}
	if (letters == 0 || (digits == 0 && len < 32) || others * 4 > len)
		return false;
	/* a random text of n hexadecimal digits reaches about log2(min(16, n)) - 0.4 */
	double enough = len < 20 ? 2.8 : 3.1;
	return entropy(value, len) >= enough && !is_placeholder(value, len);
}

static int hex_of(uint8_t c)
{
	return is_digit(c) ? c - '0' : is_hex(c) ? lower(c) - 'a' + 10 : -1;
}

size_t percent_decode(const struct text *t, size_t at, bool pluses, uint8_t *out, size_t size, size_t *ret_end)
{
	size_t n = 0, i = at, escapes = 0;
	while (i < t->len && n + 1 < size) {
		uint8_t c = t->bytes[i];
		if (is_blank(c) || c == '&' || c == '"' || c == '\'' || c == '<' || c == ';')
			break;
		int high = c == '%' ? hex_of(text_at(t, i + 1)) : -1, low = c == '%' ? hex_of(text_at(t, i + 2)) : -1;
		if (high >= 0 && low >= 0) {
			out[n++] = (uint8_t)(high << 4 | low);
			i += 3;
			escapes++;
		} else {
			escapes += pluses && c == '+' && n > 0;
			out[n++] = c == '+' ? ' ' : c;
			i++;
		}
	}
	*ret_end = i;
	return escapes > 0 ? n : 0;
}
