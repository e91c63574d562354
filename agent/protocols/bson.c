/*
 * BSON, element by element; every length is checked against what is there. See bson.h.
 */
#include "protocols/bson.h"

#include <string.h>

#include "protocols/talk.h"

bool bson_begin(struct bson *b, const uint8_t *bytes, size_t len)
{
	uint32_t size = len >= 4 ? talk_le32(bytes) : 0;

	if (size < 5)
		return false;
	b->at = bytes + 4;
	b->end = bytes + (size < len ? size : len);
	return true;
}

/* Bytes of a value of this type; 0 if the type is unknown or the value is cut before it says. */
static size_t value_size(uint8_t type, const uint8_t *v, size_t left, bool *ret_ok)
{
	static const uint8_t fixed[] = {
		[0x01] = 8, [0x07] = 12, [0x08] = 1, [0x09] = 8, [0x10] = 4, [0x11] = 8, [0x12] = 8, [0x13] = 16};
	*ret_ok = true;
	if (type == 0x06 || type == 0x0a || type == 0xff || type == 0x7f)
		return 0;
	if (type < sizeof(fixed) && fixed[type])
		return fixed[type];
	*ret_ok = left >= 4;
	if (!*ret_ok)
		return 0;
	uint32_t n = talk_le32(v);
	switch (type) {
	case 0x02: /* texts: length, bytes, NUL */
	case 0x0d:
	case 0x0e:
		return (size_t)n + 4;
	case 0x03: /* documents, whose length holds itself */
	case 0x04:
	case 0x0f:
		*ret_ok = n >= 5;
		return n;
	case 0x05: /* binary: length, subtype, bytes */
		return (size_t)n + 5;
	default:
		*ret_ok = false;
		return 0;
	}
}

bool bson_next(struct bson *b, struct bson_element *ret)
{
	bool ok;

	if (b->at >= b->end || *b->at == 0)
		return false;
	uint8_t type = *b->at;
	const uint8_t *key = b->at + 1;
	const uint8_t *nul = key < b->end ? memchr(key, 0, (size_t)(b->end - key)) : NULL;
	if (!nul)
		return false;
	size_t left = (size_t)(b->end - nul - 1);
	size_t n = value_size(type, nul + 1, left, &ok);
	if (!ok || n > left)
		return false;
	*ret = (struct bson_element){.type = type, .key = (const char *)key, .value = nul + 1, .len = n};
	b->at = nul + 1 + n;
	return true;
}

bool bson_is(const struct bson_element *e, const char *key)
{
	return strcmp(e->key, key) == 0;
}

const char *bson_text(const struct bson_element *e, size_t *ret_len)
{
	if (e->type != 0x02 || e->len < 5)
		return NULL;
	*ret_len = e->len - 5;
	return (const char *)e->value + 4;
}

bool bson_number(const struct bson_element *e, int64_t *ret)
{
	double d;

	switch (e->type) {
	case 0x01:
		memcpy(&d, e->value, sizeof(d));
		if (!(d > -1e15 && d < 1e15))
			return false;
		*ret = (int64_t)d;
		return true;
	case 0x08:
		*ret = e->value[0];
		return true;
	case 0x10:
		*ret = (int32_t)talk_le32(e->value);
		return true;
	case 0x12:
		*ret = (int64_t)((uint64_t)talk_le32(e->value + 4) << 32 | talk_le32(e->value));
		return true;
	default:
		return false;
	}
}
