/*
 * Passwords in the files that programs keep their accounts in: lines of a .netrc and a .pgpass, hashes of a passwd or htpasswd file.
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/secrets.h"

#define FIELD_MAX 128U
#define HASH_MAX 512U
#define HASH_BACK 48U /* from a word inside of a hash back to its first '$' */
#define DIGEST_MIN 22U

static size_t word_end(const struct text *t, size_t i)
{
	size_t from = i;
	while (i < t->len && i - from < FIELD_MAX && !is_blank(t->bytes[i]) && !is_quote(t->bytes[i]))
		i++;
	return i;
}

bool netrc_at(const struct text *t, size_t sep, size_t at, struct span *ret)
{
	if (sep < 9 || !text_is(t, sep - 8, "password") || !is_blank(t->bytes[sep - 9]))
		return false;
	size_t i = sep - 8;
	while (i > 0 && is_blank(t->bytes[i - 1]))
		i--;
	size_t user_end = i;
	while (i > 0 && user_end - i < FIELD_MAX && !is_blank(t->bytes[i - 1]))
		i--;
	if (i == user_end || i < 7 || !text_is(t, i - 6, "login ") || is_alnum(text_at(t, i - 7)))
		return false;
	size_t end = word_end(t, at);
	if (end < at + 4 || is_placeholder(t->bytes + at, end - at))
		return false;
	*ret = (struct span){at, end};
	return true;
}

/* One field of a line that colons divide; a colon in it has a backslash before. */
static size_t field_end(const struct text *t, size_t i)
{
	size_t from = i;
	while (i < t->len && i - from < FIELD_MAX && t->bytes[i] != ':' && !is_blank(t->bytes[i]) && !is_quote(t->bytes[i]))
		i += t->bytes[i] == '\\' && text_at(t, i + 1) == ':' ? 2 : 1;
	return i < t->len ? i : t->len;
}

bool pgpass_at(const struct text *t, size_t port, size_t colon, struct span *ret)
{
	if (text_at(t, port - 1) != ':' || !(is_alnum(text_at(t, port - 2)) || text_at(t, port - 2) == '*') ||
	    text_at(t, colon) != ':')
		return false;
	size_t database = field_end(t, colon + 1);
	size_t user = field_end(t, database + 1);
	if (text_at(t, database) != ':' || text_at(t, user) != ':' || database == colon + 1 || user == database + 1)
		return false;
	size_t end = field_end(t, user + 1);
	if (end < user + 5 || text_at(t, end) == ':' || is_placeholder(t->bytes + user + 1, end - user - 1))
		return false;
	*ret = (struct span){user + 1, end};
	return true;
}

static bool is_hash_character(uint8_t c)
{
	return is_alnum(c) || c == '.' || c == '/' || c == '$' || c == '=' || c == '+' || c == ',' || c == '-' || c == '_' ||
	       c == '@';
}

/* $ID$ of a scheme that crypt(3) and its like know. */
static bool is_scheme(const struct text *t, size_t dollar)
{
	static const char *const schemes[] = {"1$",
					      "2a$",
					      "2b$",
					      "2x$",
					      "2y$",
					      "5$",
					      "6$",
					      "7$",
					      "8$",
					      "9$",
					      "y$",
					      "gy$",
					      "apr1$",
					      "argon2i$",
					      "argon2d$",
					      "argon2id$",
					      "scrypt$",
					      "krb5asrep$",
					      "krb5tgs$",
					      "pbkdf2-sha256$",
					      "pbkdf2-sha512$"};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (text_is(t, dollar + 1, schemes[i]))
			return true;
	}
	return false;
}

bool crypt_hash_at(const struct text *t, size_t at, struct span *ret)
{
	size_t start = at, low = at > HASH_BACK ? at - HASH_BACK : 0, first = SIZE_MAX;
	if (memrchr(t->bytes + low, '$', at - low) == NULL)
		return false;
	while (start > low && is_hash_character(t->bytes[start - 1])) {
		start--;
		if (t->bytes[start] == '$')
			first = start;
	}
	if (first == SIZE_MAX || !is_scheme(t, first))
		return false;
	size_t end = at, last = first, dollars = 0;
	for (size_t i = first; i < t->len && i - first < HASH_MAX && is_hash_character(t->bytes[i]); i++) {
		if (t->bytes[i] == '$') {
			last = i;
			dollars++;
		}
		end = i + 1;
	}
	while (end > last && (t->bytes[end - 1] == '.' || t->bytes[end - 1] == ',') && is_blank(text_at(t, end)) && end - last > 87)
		end--;
	if (dollars < 3 || end - last <= DIGEST_MIN || entropy(t->bytes + last + 1, end - last - 1) < 3.0)
		return false;
	*ret = (struct span){first, end};
	return true;
}
