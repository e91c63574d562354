/*
 * Masked samples: enough to recognise one's own test data, never enough to use. Of a card what PCI DSS 3.4.1 allows.
 */
#include <string.h>

#include "scan/entities.h"
#include "scan/text.h"

#define DOT "\xe2\x80\xa2"
#define SHOWN_MAX 24U

struct out {
	char *buf;
	size_t size, n;
};

static void put(struct out *o, const char *text, size_t len)
{
	if (o->n + len < o->size) {
		memcpy(o->buf + o->n, text, len);
		o->n += len;
	}
}

static void put_value(struct out *o, uint8_t c, bool shown)
{
	char plain = (char)c;
	if (shown && c >= 0x20 && c < 0x7f)
		put(o, &plain, 1);
	else
		put(o, DOT, sizeof(DOT) - 1);
}

static void mask_card(struct out *o, const uint8_t *v, size_t len)
{
	size_t digits = 0, seen = 0;
	for (size_t i = 0; i < len; i++)
		digits += is_digit(v[i]);
	for (size_t i = 0; i < len; i++) {
		bool digit = is_digit(v[i]);
		seen += digit;
		put_value(o, v[i], !digit || (digits >= 13 && (seen <= 6 || seen + 4 > digits)));
	}
}

static void mask_email(struct out *o, const uint8_t *v, size_t len)
{
	const uint8_t *at = memchr(v, '@', len);
	size_t dot = len;
	while (dot > 0 && v[dot - 1] != '.')
		dot--;
	put_value(o, v[0], at != NULL && at > v + 2);
	put(o, DOT DOT DOT "@" DOT DOT DOT, 6 * (sizeof(DOT) - 1) + 1);
	for (size_t i = dot > 0 ? dot - 1 : len; i < len && len - i <= 8; i++)
		put_value(o, v[i], true);
}

void scan_mask(const struct entity *e, const uint8_t *value, size_t len, char *buf, size_t size)
{
	if (size == 0)
		return;
	struct out o = {.buf = buf, .size = size};
	enum entity_id id = (enum entity_id)(e - entity_table);
	if (id == ENTITY_CREDIT_CARD) {
		mask_card(&o, value, len);
	} else if (id == ENTITY_EMAIL && len > 0) {
		mask_email(&o, value, len);
	} else if (id == ENTITY_PRIVATE_KEY) {
		for (size_t i = 0; i < len && i < 40 && (i < 11 || value[i] != '-'); i++)
			put_value(&o, value[i], value[0] == '-' && (is_upper(value[i]) || value[i] == '-' || value[i] == ' '));
		put(&o, "-----" DOT DOT DOT, 5 + 3 * (sizeof(DOT) - 1));
	} else {
		/* the first two characters of a long value, or four where a vendor's prefix is no secret */
		size_t keep = len < 12 ? 0 : entity_rank(id) == 6 && id != ENTITY_IBAN ? 4 : 2;
		if (id == ENTITY_PASSWORD || id == ENTITY_CVV || id == ENTITY_URL_CREDENTIALS || id == ENTITY_BASIC_AUTH ||
		    id == ENTITY_AWS_SECRET_KEY || id == ENTITY_AZURE_STORAGE_KEY)
			keep = 0;
		for (size_t i = 0; i < len && i < SHOWN_MAX; i++)
			put_value(&o, value[i], i < keep);
	}
	buf[o.n] = 0;
}
