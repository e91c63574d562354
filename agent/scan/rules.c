/*
 * The users' own rules (rules.h).
 */
#include "scan/rules.h"

#include <errno.h>
#include <string.h>

#define PATTERN_MAX 128U
#define OWN_BODY_MIN 8U
#define OWN_LENGTH_MAX 1024U

struct rules rules;

static char allowed[SCAN_RULES_MAX][PATTERN_MAX];
static char prefixes[SCAN_RULES_MAX][PATTERN_MAX];

int scan_rules_off(const char *entity)
{
	const struct entity *e = entity_find(entity);
	if (e == NULL)
		return -ENOENT;
	rules.off[e - entity_table] = true;
	return 0;
}

static int keep(char table[][PATTERN_MAX], size_t *n, const char *text)
{
	size_t len = strlen(text);
	if (len >= PATTERN_MAX)
		return -ENAMETOOLONG;
	if (*n == SCAN_RULES_MAX)
		return -ENOSPC;
	memcpy(table[(*n)++], text, len + 1);
	return 0;
}

int scan_rules_allow(const char *pattern)
{
	/* one that allows everything is a mistake: what is not wanted is switched off by name */
	if (pattern[strspn(pattern, "*")] == 0)
		return -EINVAL;
	return keep(allowed, &rules.allow_n, pattern);
}

int scan_rules_own(const char *prefix)
{
	size_t n = 0;
	while (is_word((uint8_t)prefix[n]) || prefix[n] == '-' || prefix[n] == '.')
		n++;
	if (prefix[n] != 0 || n < 3 || !is_alnum((uint8_t)prefix[0]))
		return -EINVAL;
	return keep(prefixes, &rules.own_n, prefix);
}

void scan_rules_clear(void)
{
	rules = (struct rules){0};
}

/* '*' stands for any run of bytes. Each star is taken back at most once per byte, so the time is bounded by the product of both. */
static bool fits(const char *pattern, const uint8_t *value, size_t len)
{
	const char *star = NULL;
	size_t i = 0, from = 0;
	while (i < len) {
		if (*pattern == '*') {
			star = pattern++;
			from = i;
		} else if (*pattern != 0 && (uint8_t)*pattern == value[i]) {
			pattern++;
			i++;
		} else if (star != NULL) {
			pattern = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == 0;
}

bool rules_allow(const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < rules.allow_n; i++) {
		if (fits(allowed[i], value, len))
			return true;
	}
	return false;
}

bool rules_own_at(const struct text *t, size_t at, struct span *ret)
{
	for (size_t i = 0; i < rules.own_n; i++) {
		size_t n = strlen(prefixes[i]);
		if (t->len - at < n || memcmp(t->bytes + at, prefixes[i], n) != 0)
			continue;
		size_t end = text_token_end(t, at + n, OWN_LENGTH_MAX);
		if (end - at - n < OWN_BODY_MIN)
			continue;
		*ret = (struct span){at, end};
		return true;
	}
	return false;
}

bool scan_told(const struct entity *e, const uint8_t *value, size_t len)
{
	return !rules.off[e - entity_table] && !(rules.allow_n > 0 && rules_allow(value, len));
}
