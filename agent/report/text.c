/*
 * Text from outside made fit to be shown. Pure functions, any thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/text.h"

/* Length of the UTF-8 character at s (RFC 3629: shortest form, no surrogates, at most U+10FFFF), 0 if it is none. */
static size_t character(const unsigned char *s)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;
	if (n == 0)
		return 0;
	uint32_t code = s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0; /* a terminating NUL ends here too */
		code = code << 6 | (s[i] & 0x3fU);
	}
	bool control = code >= 0x80 && code < 0xa0;
	return code >= smallest[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && !control ? n : 0;
}

const char *text_clean(const char *in, char *buf, size_t size)
{
	const unsigned char *s = (const unsigned char *)(in != NULL ? in : "");
	size_t used = 0;
	while (*s != '\0') {
		size_t n = character(s);
		bool fit = n > 1 || (n == 1 && *s >= 0x20 && *s != 0x7f);
		size_t out = fit ? n : 1;
		if (used + out + 1 > size)
			break;
		if (fit)
			memcpy(buf + used, s, n);
		else
			buf[used] = '?';
		used += out;
		s += fit ? n : 1;
	}
	buf[used] = '\0';
	return buf;
}

/* Eight bytes at a time: a byte's top bit is set in what says that it is below ' ', is DEL, or is no ASCII at all. */
bool text_is_plain(const char *s, size_t n)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
	uint64_t odd = 0;
	for (; n >= sizeof odd; n -= sizeof odd, s += sizeof odd) {
		uint64_t v;
		memcpy(&v, s, sizeof v);
		odd |= v | (v - ones * ' ') | (v + ones);
	}
	for (; n > 0; n--, s++)
		odd |= (unsigned char)(*s - ' ') < 0x7f - ' ' ? 0 : tops;
	return (odd & tops) == 0;
}

json_t *text_json(const char *in)
{
	size_t size = strlen(in != NULL ? in : "") + 1;
	char *buf = malloc(size);
	if (buf == NULL)
		return NULL;
	json_t *o = json_string(text_clean(in, buf, size));
	free(buf);
	return o;
}

json_t *text_clean_tree(const json_t *in)
{
	const char *key;
	json_t *item, *out;
	size_t i;
	switch (json_typeof(in)) {
	case JSON_OBJECT:
		out = json_object();
		json_object_foreach ((json_t *)in, key, item) {
			json_t *clean = text_json(key);
			json_object_set_new(out, json_string_value(clean), text_clean_tree(item));
			json_decref(clean);
		}
		return out;
	case JSON_ARRAY:
		out = json_array();
		json_array_foreach (in, i, item)
			json_array_append_new(out, text_clean_tree(item));
		return out;
	case JSON_STRING:
		return text_json(json_string_value(in));
	default:
		return json_copy((json_t *)in);
	}
}
