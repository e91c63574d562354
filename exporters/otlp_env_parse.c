/*
 * How OpenTelemetry reads environment variables. Pure functions, any thread.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporters/otlp_env_parse.h"

const char *env_text(env_fn env, const char *name)
{
	const char *value = env != NULL ? env(name) : getenv(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

bool env_true(env_fn env, const char *name, bool fallback)
{
	const char *value = env_text(env, name);
	return value != NULL ? strcasecmp(value, "true") == 0 : fallback;
}

int env_number(env_fn env, const char *name, uint64_t *ret)
{
	const char *value = env_text(env, name);
	char *end;
	if (value == NULL)
		return 0;
	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	while (isspace((unsigned char)*end))
		end++;
	if (errno != 0 || *end != '\0' || !isdigit((unsigned char)value[strspn(value, " \t")]))
		return -EINVAL;
	*ret = n;
	return 0;
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

bool percent_decode_in_place(char *text)
{
	char *out = text;
	for (const char *in = text; *in != '\0'; in++) {
		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		int high = hex(in[1]), low = high < 0 ? -1 : hex(in[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		*out++ = (char)(high << 4 | low);
		in += 2;
	}
	*out = '\0';
	return true;
}

static char *trim(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	char *end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

bool pairs_parse(const char *list, pair_fn fn, void *ctx)
{
	char *copy = strdup(list), *rest = copy, *part;
	bool good = copy != NULL;
	while (good && (part = strsep(&rest, ",")) != NULL) {
		part = trim(part);
		if (*part == '\0')
			continue;
		char *value = strchr(part, '=');
		if (value == NULL) {
			good = false;
			break;
		}
		*value++ = '\0';
		char *key = trim(part);
		value = trim(value);
		good = *key != '\0' && percent_decode_in_place(key) && percent_decode_in_place(value);
		if (good)
			fn(ctx, key, value);
	}
	free(copy);
	return good;
}
