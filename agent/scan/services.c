/*
 * Keys of services that give them no prefix (services.def): a key that names the service, and a value of the form that its keys have.
 * The form is told as a whole, so it may look less random than a value of no known kind has to.
 */
#include "scan/services.h"

#include <pthread.h>
#include <string.h>

#include "scan/alphabet.h"
#include "scan/encoding.h"

#define FORMS_MAX 4U
#define DIGITS_MIN 28U /* digits of a value without a letter: no id or time has so many */
#define ALONE_MIN 32U  /* characters of a value that only the service's name stands before */

static const struct service {
	const char *words;
	enum entity_id entity;
	uint16_t forms[FORMS_MAX * 3]; /* alphabet, min, max; max is 0 in those that are not used */
} services[] = {
#define SERVICE(name, rule, title, words, ...) {words, ENTITY_##name, {__VA_ARGS__}},
#include "scan/services.def"
#undef SERVICE
};

#define SERVICES (sizeof(services) / sizeof(*services))

static uint32_t letters_of[SERVICES]; /* with which the words begin: bit c for 'a' + c */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Bit c: a word of the name begins with the letter 'a' + c. Most services begin with another one. */
static uint32_t initials(const struct keyname *name)
{
	uint32_t letters = 0;
	for (uint32_t left = name->starts; left != 0; left &= left - 1) {
		uint8_t c = (uint8_t)name->reversed[__builtin_ctz(left)];
		letters |= is_lower(c) ? UINT32_C(1) << (c - 'a') : 0;
	}
	return letters;
}

static void build(void)
{
	for (size_t i = 0; i < SERVICES; i++) {
		for (const char *p = services[i].words; *p != 0; p++) {
			if (p == services[i].words || p[-1] == ' ')
				letters_of[i] |= UINT32_C(1) << (*p - 'a');
		}
	}
}

void services_prepare(void)
{
	(void)pthread_once(&once, build);
}

static bool named(const struct service *s, const struct keyname *name)
{
	for (const char *p = s->words; *p != 0;) {
		size_t n = 0;
		while (p[n] != ' ' && p[n] != 0)
			n++;
		if (keyname_has_of(name, p, n))
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

static bool ends_token(const struct text *t, size_t i)
{
	uint8_t c = text_at(t, i);
	if (is_word(c) || c == '-' || c == '/' || c == '@' || c == '(')
		return false;
	return (c != '.' && c != ':') || !is_alnum(text_at(t, i + 1));
}

static bool form_at(const struct text *t, size_t at, const uint16_t *form, struct span *ret)
{
	enum alphabet alphabet = (enum alphabet)form[0];
	size_t i = at, digits = 0, letters = 0;
	while (i < t->len && i - at <= form[2] && in_alphabet(alphabet, t->bytes[i])) {
		digits += is_digit(t->bytes[i]);
		letters += is_alpha(t->bytes[i]);
		i++;
	}
	while (i - at > form[1] && (t->bytes[i - 1] == '.' || t->bytes[i - 1] == ':'))
		i--;
	size_t n = i - at;
	if (n < form[1] || n > form[2] || !ends_token(t, i) || digits < 2 || (letters == 0 && n < DIGITS_MIN) ||
	    entropy(t->bytes + at, n) < (n < 20 ? 2.4 : 2.6) || is_placeholder(t->bytes + at, n))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool service_key_at(const struct text *t, size_t at, const struct keyname *name, struct span *ret, enum entity_id *ret_entity)
{
	/* every form has these at least: most values end before */
	for (size_t i = at; i < at + 14; i++) {
		if (!in_alphabet(BASE64, text_at(t, i)))
			return false;
	}
	uint32_t letters = initials(name);
	for (size_t i = 0; i < SERVICES; i++) {
		if ((letters_of[i] & letters) == 0 || !named(&services[i], name))
			continue;
		for (size_t k = 0; k < FORMS_MAX && services[i].forms[3 * k + 2] != 0; k++) {
			if (form_at(t, at, services[i].forms + 3 * k, ret)) {
				*ret_entity = services[i].entity;
				return true;
			}
		}
	}
	return false;
}

bool service_alone_at(const struct text *t, size_t at, const struct keyname *name, struct span *ret, enum entity_id *ret_entity)
{
	return service_key_at(t, at, name, ret, ret_entity) && ret->end - ret->start >= ALONE_MIN &&
	       memchr(t->bytes + at, '-', ret->end - at) == NULL;
}
