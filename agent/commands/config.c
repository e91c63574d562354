/*
 * Reads the configuration file with libyaml's document tree, against the same tables as the command line: an unknown key is an
 * error that names file, line and key. Main thread.
 */
#include "commands/config.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/limits.h"
#include "scan/scan.h"

struct reader {
	const char *path;
	yaml_document_t doc;
	struct settings *s;
	char *err;
	size_t err_size;
};

__attribute__((format(printf, 4, 5))) static int fail(struct reader *r, const yaml_node_t *at, const char *key, const char *format,
						      ...)
{
	char what[384];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(r->err, r->err_size, "%s:%zu: %s%s%s", r->path, at->start_mark.line + 1, key, *key ? ": " : "", what);
	return -EINVAL;
}

/* Text of a scalar, kept by the settings; NULL if it is none, holds a NUL, or nothing more can be kept. */
static const char *keep(struct reader *r, const yaml_node_t *n)
{
	struct settings *s = r->s;

	if (n->type != YAML_SCALAR_NODE || strlen((char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	if (s->texts_n == SETTINGS_TEXTS_MAX)
		return NULL;
	char *text = strdup((char *)n->data.scalar.value);
	if (text)
		s->texts[s->texts_n++] = text;
	return text;
}

static int set_one(struct reader *r, const struct flag *f, const char *key, const yaml_node_t *value)
{
	char why[256];
	const char *text = keep(r, value);

	if (!text)
		return fail(r, value, key, "must be a single value");
	if (flag_set(f, text, r->s, why, sizeof(why)) < 0) {
		/* flag_set opens with the flag's name; the key stands there already. */
		const char *rest = strchr(why, ':');
		return fail(r, value, key, "%s", rest ? rest + 2 : why);
	}
	return 0;
}

static int set_flag(struct reader *r, const struct flag *f, const char *key, const yaml_node_t *value)
{
	if (f->kind != FLAG_LIST || value->type != YAML_SEQUENCE_NODE)
		return set_one(r, f, key, value);
	const yaml_node_item_t *item = value->data.sequence.items.start;
	for (; item < value->data.sequence.items.top; item++) {
		int e = set_one(r, f, key, yaml_document_get_node(&r->doc, *item));
		if (e < 0)
			return e;
	}
	return 0;
}

static int set_detector_option(struct reader *r, size_t index, const char *key, const char *word, const yaml_node_t *value)
{
	static const struct flag enabled = {.name = "enabled", .kind = FLAG_SWITCH};
	const struct option *o = detector_table[index]->options;
	char why[256];

	if (value->type != YAML_SCALAR_NODE)
		return fail(r, value, key, "must be a single value");
	const char *text = (const char *)value->data.scalar.value;
	if (strcmp(word, enabled.name) == 0) {
		bool on = true;
		if (flag_set(&enabled, text, &on, why, sizeof(why)) < 0)
			return fail(r, value, key, "'%s' is neither true nor false", text);
		r->s->detectors[index].off = !on;
		return 0;
	}
	size_t i = 0;
	while (o && o[i].name && strcmp(o[i].name, word) != 0)
		i++;
	if (!o || !o[i].name || i >= SETTINGS_OPTIONS_MAX)
		return fail(r, value, key, "unknown option; `gapscope list detectors` shows those that exist");
	char *end;
	double number = strtod(text, &end);
	if (!*text || *end || !isfinite(number) || number < o[i].min || number > o[i].max)
		return fail(r, value, key, "'%s' is no number from %g to %g%s%s", text, o[i].min, o[i].max,
			    o[i].unit && *o[i].unit ? " " : "", o[i].unit ? o[i].unit : "");
	r->s->detectors[index].values[i] = number;
	return 0;
}

typedef int (*pair_fn)(struct reader *r, size_t index, const char *prefix, const char *word, const yaml_node_t *value);

/* Calls fn for each pair of a mapping; `prefix` is what stands before its keys in messages. */
static int each_pair(struct reader *r, const yaml_node_t *map, size_t index, const char *prefix, pair_fn fn)
{
	if (map->type != YAML_MAPPING_NODE)
		return fail(r, map, prefix, "must be keys with values, as in `key: value`");
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		if (key->type != YAML_SCALAR_NODE)
			return fail(r, key, prefix, "a key must be a single word");
		const char *word = (const char *)key->data.scalar.value;
		for (const yaml_node_pair_t *q = map->data.mapping.pairs.start; q < p; q++) {
			const yaml_node_t *other = yaml_document_get_node(&r->doc, q->key);
			if (other->type == YAML_SCALAR_NODE && strcmp((const char *)other->data.scalar.value, word) == 0)
				return fail(r, key, word, "stands there twice");
		}
		char path[256];
		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", word);
		/* Messages about an unknown key point at the key. */
		yaml_node_t value = *yaml_document_get_node(&r->doc, p->value);
		value.start_mark = key->start_mark;
		int e = fn(r, index, path, word, &value);
		if (e < 0)
			return e;
	}
	return 0;
}

static int on_detector(struct reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	int i = settings_detector_index(word);

	if (i < 0)
		return fail(r, value, path, "unknown detector; `gapscope list detectors` shows those that exist");
	return each_pair(r, value, (size_t)i, path, set_detector_option);
}

/* scan: {off: [EMAIL], allow: ['*@acme.io'], own: [acme_tok_]} */
static int on_scan(struct reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	static const struct {
		const char *word;
		int (*add)(const char *text);
		const char *bad;
	} kinds[] = {{"off", scan_rules_off, "no such entity; `gapscope list entities` names them"},
		     {"allow", scan_rules_allow, "no pattern that leaves something to be found"},
		     {"own", scan_rules_own, "no prefix: three or more letters, digits, '_', '-' or '.'"}};
	size_t k = 0;

	(void)index;
	while (k < sizeof(kinds) / sizeof(*kinds) && strcmp(kinds[k].word, word) != 0)
		k++;
	if (k == sizeof(kinds) / sizeof(*kinds))
		return fail(r, value, path, "unknown key; keys are off, allow and own");
	if (value->type != YAML_SEQUENCE_NODE)
		return fail(r, value, path, "must be a list, as in `[A, B]`");
	for (const yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
		if (item->type != YAML_SCALAR_NODE || strlen((char *)item->data.scalar.value) != item->data.scalar.length)
			return fail(r, item, path, "must be a list of single values");
		const char *text = (const char *)item->data.scalar.value;
		int e = kinds[k].add(text);
		if (e == -ENOSPC || e == -ENAMETOOLONG)
			return fail(r, item, path, "'%s' is %s", text, e == -ENOSPC ? "one more than can be kept" : "too long");
		if (e < 0)
			return fail(r, item, path, "'%s' is %s", text, kinds[k].bad);
	}
	return 0;
}

static int on_top(struct reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	if (strcmp(word, "detectors") == 0)
		return each_pair(r, value, 0, path, on_detector);
	if (strcmp(word, "scan") == 0)
		return each_pair(r, value, 0, path, on_scan);
	const struct flag *f = flag_find(run_flags, word, strlen(word));
	if (!f || strcmp(word, "config") == 0)
		return fail(r, value, path, "unknown key; keys are the long flags of `gapscope run`, 'detectors' and 'scan'");
	return set_flag(r, f, path, value);
}

int config_parse(const char *path, const char *text, size_t len, struct settings *s, char *err, size_t err_size)
{
	struct reader r = {.path = path, .s = s, .err = err, .err_size = err_size};
	yaml_parser_t parser;
	int e = 0;

	if (!yaml_parser_initialize(&parser)) {
		snprintf(err, err_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &r.doc)) {
		snprintf(err, err_size, "%s:%zu: not valid YAML: %s", path, parser.problem_mark.line + 1,
			 parser.problem ? parser.problem : "unknown problem");
		yaml_parser_delete(&parser);
		return -EINVAL;
	}
	const yaml_node_t *root = yaml_document_get_root_node(&r.doc);
	if (root)
		e = each_pair(&r, root, 0, "", on_top);
	yaml_document_delete(&r.doc);
	yaml_parser_delete(&parser);
	return e;
}

int config_load(const char *path, struct settings *s, char *err, size_t err_size)
{
	int e = 0;
	char *text = NULL;
	FILE *f = fopen(path, "re");

	if (!f) {
		e = -errno;
		snprintf(err, err_size, "%s: cannot read the configuration: %s", path, strerror(-e));
		return e;
	}
	text = malloc(LIMIT_CONFIG_BYTES + 1U);
	if (!text) {
		e = -ENOMEM;
		snprintf(err, err_size, "%s: out of memory", path);
		goto out;
	}
	size_t len = fread(text, 1, LIMIT_CONFIG_BYTES + 1U, f);
	if (ferror(f)) {
		e = -EIO;
		snprintf(err, err_size, "%s: cannot read the configuration: is it a file?", path);
		goto out;
	}
	if (len > LIMIT_CONFIG_BYTES) {
		e = -EFBIG;
		snprintf(err, err_size, "%s: larger than %u bytes", path, LIMIT_CONFIG_BYTES);
		goto out;
	}
	e = config_parse(path, text, len, s, err, err_size);
out:
	free(text);
	fclose(f);
	return e;
}
