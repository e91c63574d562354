/*
 * Vendors' keys that have no prefix: what tells them is a sign in their middle, which the driver finds by bit arithmetic. And the
 * checksum that GitHub builds into its tokens.
 */
#include "scan/shapes.h"

#include <string.h>

#include "scan/encoding.h"

#define WEBHOOK_MAX 200U

static bool is_in(uint8_t c, const char *more)
{
	if (is_alnum(c))
		return true;
	for (; *more != 0; more++) {
		if (c == (uint8_t)*more)
			return true;
	}
	return false;
}

/* Where a run of letters, digits and `more` that begins at i ends, at most `max` on. */
static size_t run(const struct text *t, size_t i, const char *more, size_t max)
{
	size_t stop = t->len - i < max ? t->len : i + max;
	while (i < stop && is_in(t->bytes[i], more))
		i++;
	return i;
}

bool telegram_at(const struct text *t, size_t colon, struct span *ret)
{
	size_t start = colon;
	while (start > 0 && colon - start < 17 && is_digit(t->bytes[start - 1]))
		start--;
	size_t end = run(t, colon + 1, "_-", 37);
	if (colon - start < 5 || colon - start > 16 || end - colon != 36 || is_word(text_at(t, start - 1)) ||
	    entropy(t->bytes + colon + 1, 35) < 3.5 || is_placeholder(t->bytes + colon + 1, 35))
		return false;
	*ret = (struct span){start, end};
	return true;
}

static size_t hex_digits(const struct text *t, size_t i)
{
	size_t from = i;
	while (i - from < 33 && is_hex(text_at(t, i)))
		i++;
	return i - from;
}

bool asana_at(const struct text *t, size_t colon, struct span *ret)
{
	size_t i = colon, numbers = 0;
	while (numbers < 2) {
		size_t first = i;
		while (i - first < 18 && is_digit(text_at(t, first - 1)))
			first--;
		if (i - first < 12 || text_at(t, first - 1) != '/')
			break;
		i = first - 1;
		numbers++;
	}
	uint8_t version = text_at(t, i - 1);
	if (numbers == 0 || (version != '1' && version != '2') || is_word(text_at(t, i - 2)) || text_at(t, i - 2) == '/' ||
	    hex_digits(t, colon + 1) != 32 || is_word(text_at(t, colon + 33)) || entropy(t->bytes + colon + 1, 32) < 2.8)
		return false;
	*ret = (struct span){i - 1, colon + 33};
	return true;
}

bool braintree_behind(const struct text *t, size_t at, struct span *ret)
{
	static const char *const signs[] = {"access_token$production$", "access_token$sandbox$"};
	for (size_t k = 0; k < sizeof(signs) / sizeof(*signs); k++) {
		size_t n = strlen(signs[k]) + 17;
		if (at < n || !text_is(t, at - n, signs[k]) || hex_digits(t, at) != 32 || is_word(text_at(t, at + 32)))
			continue;
		size_t i = at - 17;
		while (i < at - 1 && is_alnum(t->bytes[i]))
			i++;
		if (i == at - 1) {
			*ret = (struct span){at - n, at + 32};
			return true;
		}
	}
	return false;
}

bool facebook_app_at(const struct text *t, size_t at, struct span *ret)
{
	size_t bar = at;
	while (bar - at < 17 && is_digit(text_at(t, bar)))
		bar++;
	if (bar - at < 15 || bar - at > 16 || text_at(t, bar) != '|' || is_word(text_at(t, at - 1)))
		return false;
	size_t end = run(t, bar + 1, "_-", 41);
	if (end - bar < 28 || end - bar > 41 || entropy(t->bytes + bar + 1, end - bar - 1) < 3.3)
		return false;
	*ret = (struct span){at, end};
	return true;
}

bool teams_webhook_at(const struct text *t, size_t at, struct span *ret)
{
	/* …/webhookb2/GUID@GUID/IncomingWebhook/32 hex/GUID */
	size_t hook = at + 37;
	if (at < 37 || text_at(t, at - 37) != '/' || !text_is(t, hook, "/incomingwebhook/"))
		return false;
	size_t end = run(t, hook + 17, "-/_", WEBHOOK_MAX), start = at - 36;
	if (end - hook < 17 + 32 + 1 + 36)
		return false;
	while (start > 0 && at - start < WEBHOOK_MAX && is_in(t->bytes[start - 1], ".-/"))
		start--;
	while (start < at && !is_alnum(t->bytes[start]))
		start++;
	*ret = (struct span){start, end};
	return true;
}

static bool hex_run(const struct text *t, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_hex(text_at(t, at + i)))
			return false;
	}
	return true;
}

static bool mailchimp_at(const struct text *t, size_t at, size_t *ret_end)
{
	/* 32 hex, "-us" and the data centre's number */
	if (!hex_run(t, at, 32) || !text_is(t, at + 32, "-us") || !is_digit(text_at(t, at + 35)))
		return false;
	*ret_end = at + 36 + (is_digit(text_at(t, at + 36)) ? 1 : 0);
	return true;
}

static bool mailgun_at(const struct text *t, size_t at, size_t *ret_end)
{
	*ret_end = at + 50;
	return hex_run(t, at, 32) && text_at(t, at + 32) == '-' && hex_run(t, at + 33, 8) && text_at(t, at + 41) == '-' &&
	       hex_run(t, at + 42, 8);
}

static bool maxmind_at(const struct text *t, size_t at, size_t *ret_end)
{
	*ret_end = at + 40;
	return run(t, at, "", 7) == at + 6 && text_at(t, at + 6) == '_' && run(t, at + 7, "", 30) == at + 36 &&
	       text_is(t, at + 36, "_mmk");
}

static bool terraform_at(const struct text *t, size_t at, size_t *ret_end)
{
	if (run(t, at, "", 15) != at + 14 || !text_is(t, at + 14, ".atlasv1."))
		return false;
	*ret_end = run(t, at + 23, "_-=", 80);
	return *ret_end - at >= 23 + 60;
}

static bool newrelic_license_at(const struct text *t, size_t at, size_t *ret_end)
{
	/* 36 letters and digits, or an "eu01xx" among them, and the sign at the end */
	*ret_end = at + 40;
	return t->len - at >= 40 && memcmp(t->bytes + at + 36, "NRAL", 4) == 0 && run(t, at, "", 41) == at + 40;
}

/* A bot's number in base64, six characters of a time, 27 and more of a signature. */
static bool discord_bot_at(const struct text *t, size_t at, size_t *ret_end)
{
	uint8_t number[24];
	if (text_at(t, at + 24) != '.' && text_at(t, at + 26) != '.')
		return false;
	size_t first = run(t, at, "_-", 30), second = run(t, first + 1, "_-", 7);
	size_t n = first - at == 24 || first - at == 26 ? base64_decode(t->bytes + at, first - at, number, sizeof(number)) : 0;
	if (n < 17 || text_at(t, first) != '.' || second - first != 7 || text_at(t, second) != '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(number[i]))
			return false;
	}
	*ret_end = run(t, second + 1, "_-", 40);
	return *ret_end - second >= 28;
}

bool shape_at(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	static const struct {
		enum entity_id entity;
		bool (*holds)(const struct text *t, size_t at, size_t *ret_end);
	} shapes[] = {{ENTITY_MAILCHIMP_KEY, mailchimp_at},       {ENTITY_MAILGUN_KEY, mailgun_at},
		      {ENTITY_MAXMIND_KEY, maxmind_at},           {ENTITY_TERRAFORM_TOKEN, terraform_at},
		      {ENTITY_DISCORD_BOT_TOKEN, discord_bot_at}, {ENTITY_NEWRELIC_KEY, newrelic_license_at}};
	size_t end = at;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (!shapes[i].holds(t, at, &end) || is_word(text_at(t, end)))
			continue;
		if (is_placeholder(t->bytes + at, end - at) || entropy(t->bytes + at, 32) < 2.8)
			return false;
		*ret = (struct span){at, end};
		*ret_entity = shapes[i].entity;
		return true;
	}
	return false;
}

bool azure_marked_at(const struct text *t, size_t at, struct span *ret)
{
	/* 84 letters and digits, or 88 with the padding, and what all keys of Azure's services are marked by behind the first 52 */
	size_t end = run(t, at, "", 89);
	if (end - at < 84 || end - at > 86 || memcmp(t->bytes + at + 52, "JQQJ9", 5) != 0 || entropy(t->bytes + at, 84) < 3.5)
		return false;
	while (end - at < 88 && text_at(t, end) == '=')
		end++;
	*ret = (struct span){at, end};
	return true;
}

bool azure_devops_at(const struct text *t, size_t at, struct span *ret)
{
	/* 84 letters and digits, "JQQJ99" before and "AZDO" in the last third of them */
	if (text_at(t, at + 76) != 'A' || !text_is(t, at + 76, "azdo") || run(t, at, "", 85) != at + 84 ||
	    entropy(t->bytes + at, 84) < 3.5)
		return false;
	*ret = (struct span){at, at + 84};
	return true;
}

bool azure_ad_holds(const uint8_t *v, size_t len)
{
	if (len < 37 || len > 40 || !is_digit(v[3]) || v[4] != 'Q' || v[5] != '~')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (i != 3 && !is_in(v[i], "_~.-"))
			return false;
	}
	return true;
}

bool azure_ad_behind(const struct text *t, size_t at, struct span *ret)
{
	/* three characters, a digit and "Q~" before, and 31 to 34 behind */
	if (at < 6 || is_word(text_at(t, at - 7)))
		return false;
	size_t start = at - 6, end = run(t, start, "_~.-", 41);
	if (!azure_ad_holds(t->bytes + start, end - start) || entropy(t->bytes + start, end - start) < 3.5 ||
	    is_placeholder(t->bytes + start, end - start))
		return false;
	*ret = (struct span){start, end};
	return true;
}

bool google_refresh_at(const struct text *t, size_t at, struct span *ret)
{
	if (at < 3 || memcmp(t->bytes + at - 3, "1//", 3) != 0 || text_at(t, at) != '0' || is_word(text_at(t, at - 4)))
		return false;
	size_t end = run(t, at, "_-", 140);
	if (end - at < 40 || end - at > 130 || is_placeholder(t->bytes + at, end - at) || entropy(t->bytes + at, end - at) < 3.5)
		return false;
	*ret = (struct span){at - 3, end};
	return true;
}

bool github_checksum_holds(const uint8_t *body)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < 30; i++) {
		crc ^= body[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
	}
	crc = ~crc;
	for (size_t i = 36; i-- > 30; crc /= 62) {
		if (body[i] != (uint8_t)digits[crc % 62])
			return false;
	}
	return true;
}
