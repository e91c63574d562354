/*
 * Parsing of flags from their tables (flags.h). No state of its own; main thread.
 */
#include "commands/flags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct flag *flag_find(const struct flag *table, const char *name, size_t len)
{
	for (const struct flag *f = table; f && f->name; f++)
		if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return f;
	return NULL;
}

static int set_switch(const struct flag *f, const char *value, bool *out, char *err, size_t err_size)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true}, {"yes", true}, {"on", true}, {"false", false}, {"no", false}, {"off", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i].word) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	snprintf(err, err_size, "%s: '%s' is neither true nor false", f->name, value);
	return -EINVAL;
}

static int set_count(const struct flag *f, const char *value, uint32_t *out, char *err, size_t err_size)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || n < f->min || n > f->max) {
		snprintf(err, err_size, "%s: '%s' is no number from %u to %u", f->name, value, f->min, f->max);
		return -EINVAL;
	}
	*out = (uint32_t)n;
	return 0;
}

/* "500ms", "2s", "5m", "1h"; a bare number is seconds. */
static int set_time(const struct flag *f, const char *value, uint32_t *out, char *err, size_t err_size)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60 * 1000}, {"h", 3600 * 1000}};
	const char *const unit = value + strspn(value, "0123456789.");
	char *end;
	const double n = strtod(value, &end);
	double ms = -1;

	for (size_t i = 0; end == unit && end > value && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			ms = n * units[i].ms;
	if (!(ms >= f->min && ms <= f->max)) {
		snprintf(err, err_size, "%s: '%s' is no time from %u ms to %u s; say 500ms, 2s (or 2), 5m, 1h", f->name, value,
			 f->min, f->max / 1000);
		return -EINVAL;
	}
	*out = (uint32_t)ms;
	return 0;
}

static int set_text(const struct flag *f, const char *value, const char **out, char *err, size_t err_size)
{
	if (!*value) {
		snprintf(err, err_size, "%s: needs a value (%s)", f->name, f->arg);
		return -EINVAL;
	}
	if (f->choices) {
		const char *const *c = f->choices;
		while (*c && strcmp(*c, value) != 0)
			c++;
		if (!*c) {
			int n = snprintf(err, err_size, "%s: unknown word '%s'; use one of:", f->name, value);
			for (c = f->choices; *c && n > 0 && (size_t)n < err_size; c++)
				n += snprintf(err + n, err_size - (size_t)n, " %s", *c);
			return -EINVAL;
		}
	}
	*out = value;
	return 0;
}

int flag_set(const struct flag *f, const char *value, void *out, char *err, size_t err_size)
{
	void *member = (char *)out + f->offset;
	struct flag_list *list = member;

	switch (f->kind) {
	case FLAG_SWITCH:
		return set_switch(f, value, member, err, err_size);
	case FLAG_COUNT:
		return set_count(f, value, member, err, err_size);
	case FLAG_TIME:
		return set_time(f, value, member, err, err_size);
	case FLAG_TEXT:
		return set_text(f, value, member, err, err_size);
	case FLAG_LIST:
		if (list->n == FLAG_LIST_MAX) {
			snprintf(err, err_size, "%s: given more than %u times", f->name, FLAG_LIST_MAX);
			return -EINVAL;
		}
		if (set_text(f, value, &list->items[list->n], err, err_size) < 0)
			return -EINVAL;
		list->n++;
		return 0;
	}
	return -EINVAL;
}

void flags_first(const struct flag *table, int argc, char **argv)
{
	int flags = 1; /* argv[1 … flags - 1] is in its place: flags and their values */

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0;) {
		const char *word = argv[i];
		int len = 1;

		if (word[0] != '-' || !word[1]) {
			i++;
			continue;
		}
		if (word[1] == '-' && !strchr(word, '=') && i + 1 < argc) {
			const struct flag *f = flag_find(table, word + 2, strlen(word + 2));
			len = f && f->kind != FLAG_SWITCH ? 2 : 1;
		}
		for (int k = 0; k < len; k++, i++, flags++) {
			char *moved = argv[i];
			memmove(argv + flags + 1, argv + flags, (size_t)(i - flags) * sizeof(*argv));
			argv[flags] = moved;
		}
	}
}

int flags_parse(const struct flag *table, int argc, char **argv, void *out, char *err, size_t err_size)
{
	int i = 1;

	for (; i < argc; i++) {
		const char *word = argv[i];
		if (strcmp(word, "--") == 0)
			return i + 1;
		if (word[0] != '-' || !word[1])
			return i;
		if (word[1] != '-') {
			snprintf(err, err_size, "unknown flag '%s'; flags are long, see --help", word);
			return -EINVAL;
		}
		word += 2;
		const char *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) : strlen(word);
		const struct flag *f = flag_find(table, word, len);
		if (!f) {
			snprintf(err, err_size, "unknown flag '--%.*s'; see --help", (int)len, word);
			return -EINVAL;
		}
		const char *value = equals ? equals + 1 : NULL;
		if (!value && f->kind == FLAG_SWITCH)
			value = "true";
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value) {
			snprintf(err, err_size, "%s: needs a value (%s)", f->name, f->arg);
			return -EINVAL;
		}
		char why[256];
		if (flag_set(f, value, out, why, sizeof(why)) < 0) {
			snprintf(err, err_size, "--%s", why);
			return -EINVAL;
		}
	}
	return i;
}
