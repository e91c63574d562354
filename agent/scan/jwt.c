/*
 * JSON Web Tokens (RFC 7519): the first of three or five base64url parts decodes to a JSON object with "alg" (RFC 7515, 4.1.1).
 */
#include <string.h>

#include "scan/encoding.h"
#include "scan/validators.h"

#define PART_MAX 16384U
#define HEADER_MAX 1024U

static bool header_holds(const uint8_t *part, size_t len)
{
	uint8_t json[HEADER_MAX];
	if (len > HEADER_MAX)
		len = HEADER_MAX & ~(size_t)3; /* alg stands early in any header */
	size_t n = base64_decode(part, len, json, sizeof(json));
	return n > 8 && json[0] == '{' && memmem(json, n, "\"alg\"", 5) != NULL;
}

bool jwt_at(const struct text *t, size_t at, struct span *ret)
{
	uint8_t before = text_at(t, at - 1);
	if (!text_is(t, at, "eyj") || text_at(t, at + 2) != 'J' || is_word(before) || before == '-')
		return false;
	size_t header = text_token_end(t, at, PART_MAX);
	if (text_at(t, header) != '.' || !header_holds(t->bytes + at, header - at))
		return false;
	size_t payload = text_token_end(t, header + 1, PART_MAX);
	if (payload - header < 5 || text_at(t, payload) != '.')
		return false;
	size_t end = text_token_end(t, payload + 1, PART_MAX);
	for (unsigned int more = 0; more < 2 && text_at(t, end) == '.' && is_word(text_at(t, end + 1)); more++)
		end = text_token_end(t, end + 1, PART_MAX); /* encrypted tokens have five parts */
	*ret = (struct span){at, end};
	return end > payload + 1 && !is_placeholder(t->bytes + payload + 1, end - payload - 1);
}
