/*
 * Passwords in URLs (scheme://user:password@host) and in connection strings (Server=…;Password=…).
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define USERINFO_MAX 256U
#define STRING_MAX 256U
#define QUERY_MAX 400U
#define SIGNATURE_MIN 40U

bool url_password_at(const struct text *t, size_t at, struct span *ret)
{
	if (!is_alnum(text_at(t, at + 1)) && text_at(t, at + 1) != '[')
		return false;
	/* a later '@' before the path means that this one belongs to the password */
	for (size_t j = at + 1; j < t->len && j - at < USERINFO_MAX; j++) {
		uint8_t c = t->bytes[j];
		if (c == '@')
			return false;
		if (c == '/' || c == '?' || c == '#' || is_blank(c) || c == '"' || c == '\'' || c == ',')
			break;
	}
	size_t low = at > USERINFO_MAX ? at - USERINFO_MAX : 0, i = at, colon = 0;
	bool seen = false;
	for (; i > low; i--) {
		uint8_t c = t->bytes[i - 1];
		if (c == '/')
			break;
		if (is_blank(c) || c == '"' || c == '<' || c == '>')
			return false;
		if (c == ':') {
			colon = i - 1; /* the first one from the left is the divider */
			seen = true;
		}
	}
	if (!seen || i < low + 3 || t->bytes[i - 1] != '/' || t->bytes[i - 2] != '/' || t->bytes[i - 3] != ':')
		return false;
	if (is_placeholder(t->bytes + colon + 1, at - colon - 1))
		return false;
	*ret = (struct span){colon + 1, at};
	return true;
}

/* Does the query around `at` have this key? */
static bool in_query(const struct text *t, size_t at, const char *key)
{
	size_t low = at > QUERY_MAX ? at - QUERY_MAX : 0, high = t->len - at > QUERY_MAX ? at + QUERY_MAX : t->len, i = at;
	while (i > low && !is_blank(t->bytes[i - 1]) && t->bytes[i - 1] != '"')
		i--;
	for (; i < high && !is_blank(t->bytes[i]) && t->bytes[i] != '"'; i++) {
		if ((t->bytes[i] == '?' || t->bytes[i] == '&') && text_is(t, i + 1, key))
			return true;
	}
	return false;
}

bool url_signature_at(const struct text *t, size_t key, size_t at, struct span *ret)
{
	uint8_t before = text_at(t, key - 1);
	size_t i = at, digits = 0;
	while (i < t->len && i - at < QUERY_MAX &&
	       (is_word(t->bytes[i]) || (t->bytes[i] != 0 && strchr("%+/=-", t->bytes[i]) != NULL))) {
		digits += is_digit(t->bytes[i]);
		i++;
	}
	/* one that says until when it opens what */
	if ((before != '?' && before != '&') || i - at < SIGNATURE_MIN || digits < 2 || is_placeholder(t->bytes + at, i - at) ||
	    !(in_query(t, at, "se=") || in_query(t, at, "expires=")) ||
	    !(in_query(t, at, "sv=") || in_query(t, at, "sp=") || in_query(t, at, "keyname=")))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool in_connection_string(const struct text *t, size_t key)
{
	static const char *const partners[] = {
		"server=", "data source=", "host=", "uid=", "user id=", "user=", "database=", "initial catalog=", "username="};
	uint8_t before = text_at(t, key - 1);
	if (before == ' ')
		before = text_at(t, key - 2);
	size_t low = key > STRING_MAX ? key - STRING_MAX : 0, i = key;
	if (before == ';') {
		for (; i > low && t->bytes[i - 1] != '\n'; i--) {
			for (size_t p = 0; p < sizeof(partners) / sizeof(*partners); p++) {
				if (text_is(t, i - 1, partners[p]) && !is_alnum(text_at(t, i - 2)))
					return true;
			}
		}
		return false;
	}
	if (before != '?' && before != '&')
		return false;
	/* a query, of a URL with a scheme that is not the web's own */
	for (; i > low && !is_blank(t->bytes[i - 1]); i--) {
		if (t->bytes[i - 1] == ':' && text_is(t, i - 1, "://")) {
			size_t end = i - 1, start = end;
			while (start > low && (is_alnum(t->bytes[start - 1]) || t->bytes[start - 1] == '+'))
				start--;
			return !text_is(t, start, "http://") && !text_is(t, start, "https://");
		}
	}
	return false;
}
