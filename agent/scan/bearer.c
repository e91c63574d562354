/*
 * The value of an Authorization header, or "Bearer …" and "Basic …" where they stand (RFC 6750, RFC 7617).
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define TOKEN_MAX 2048U
#define SCHEME_MAX 16U /* of an Authorization header: SSWS, Splunk, ApiKey, … */
#define OTHER_MIN 20U

static size_t token_end(const struct text *t, size_t at)
{
	size_t i = at;
	while (i < t->len && i - at < TOKEN_MAX) {
		uint8_t c = t->bytes[i];
		if (!is_word(c) && c != '-' && c != '.' && c != '~' && c != '+' && c != '/' && c != '=')
			break;
		i++;
	}
	return i;
}

static bool is_credentials(const uint8_t *value, size_t len)
{
	uint8_t text[512];
	size_t n = base64_decode(value, len, text, sizeof(text));
	const uint8_t *colon = n > 0 ? memchr(text, ':', n) : NULL;
	bool holds =
		colon != NULL && colon > text && colon + 1 < text + n && !is_placeholder(colon + 1, (size_t)(text + n - colon - 1));
	for (size_t i = 0; i < n && holds; i++)
		holds = text[i] >= 0x20 && text[i] != 0x7f;
	explicit_bzero(text, sizeof(text));
	return holds;
}

bool authorization_value(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	bool bearer = text_is(t, at, "bearer ") || text_is(t, at, "bearer+") || text_is(t, at, "token ");
	bool basic = text_is(t, at, "basic ");
	if (!bearer && !basic)
		return false;
	while (is_alpha(text_at(t, at)))
		at++;
	while (text_at(t, at) == ' ' || text_at(t, at) == '+')
		at++;
	if (text_at(t, at) == '"')
		at++;
	size_t end = token_end(t, at);
	if (basic) {
		*ret = (struct span){at, end};
		*ret_entity = ENTITY_BASIC_AUTH;
		return end - at >= 8 && is_credentials(t->bytes + at, end - at);
	}
	while (end > at && t->bytes[end - 1] == '.')
		end--;
	*ret = (struct span){at, end};
	*ret_entity = ENTITY_BEARER_TOKEN;
	return end - at >= 16 && is_random(t->bytes + at, end - at);
}

bool authorization_other(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	size_t scheme = at;
	while (scheme - at < SCHEME_MAX && (is_alpha(text_at(t, scheme)) || text_at(t, scheme) == '-'))
		scheme++;
	if (scheme == at || text_at(t, scheme) != ' ')
		scheme = at;
	else
		scheme++;
	size_t end = token_end(t, scheme), len = end - scheme;
	size_t digits = 0;
	for (size_t i = scheme; i < end; i++)
		digits += is_digit(t->bytes[i]);
	/* parameters, as Digest has them, are none: name="value" */
	const uint8_t *equals = len > 0 ? memchr(t->bytes + scheme, '=', len) : NULL;
	if (text_is(t, at, "basic ") || len < OTHER_MIN || digits < 3 || !is_random(t->bytes + scheme, len) ||
	    (equals != NULL && is_alnum(text_at(t, (size_t)(equals - t->bytes) + 1))) || text_at(t, end) == '(')
		return false;
	*ret = (struct span){scheme, end};
	*ret_entity = ENTITY_BEARER_TOKEN;
	return true;
}

void authorization_at(const struct text *t, size_t at, struct matches *m)
{
	struct span span;
	enum entity_id entity;
	if (authorization_value(t, at, &span, &entity))
		(void)matches_add(m, span.start, span.end, entity);
}
