/*
 * Reads the configuration file with libyaml's document tree, against the same tables as the command line: an unknown key is an
 * error that names file, line and key. Main thread.
 */
#include "commands/config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml_map.h"
#include "scan/scan.h"

/* Text of a scalar, kept by the settings; NULL if it is none, holds a NUL, or nothing more can be kept. */
static const char *keep(struct settings *s, const yaml_node_t *n)
{
	const char *value = yaml_text(n);

	if (!value || s->texts_n == SETTINGS_TEXTS_MAX)
		return NULL;
	char *text = strdup(value);
	if (text)
		s->texts[s->texts_n++] = text;
	return text;
}

static int set_one(struct yaml_reader *r, const struct flag *f, const char *key, const yaml_node_t *value)
{
	char why[256];
	const char *text = keep(r->user, value);

	if (!text)
		return yaml_fail(r, value, key, "must be a single value");
	if (flag_set(f, text, r->user, why, sizeof(why)) < 0) {
		/* flag_set opens with the flag's name; the key stands there already. */
		const char *rest = strchr(why, ':');
		return yaml_fail(r, value, key, "%s", rest ? rest + 2 : why);
	}
	return 0;
}

static int set_flag(struct yaml_reader *r, const struct flag *f, const char *key, const yaml_node_t *value)
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

static int set_detector_option(struct yaml_reader *r, size_t index, const char *key, const char *word, const yaml_node_t *value)
{
	static const struct flag enabled = {.name = "enabled", .kind = FLAG_SWITCH};
	const struct option *o = detector_table[index]->options;
	struct settings *s = r->user;
	char why[256];

	if (value->type != YAML_SCALAR_NODE)
		return yaml_fail(r, value, key, "must be a single value");
	const char *text = (const char *)value->data.scalar.value;
	if (strcmp(word, enabled.name) == 0) {
		bool on = true;
		if (flag_set(&enabled, text, &on, why, sizeof(why)) < 0)
			return yaml_fail(r, value, key, "'%s' is neither true nor false", text);
		s->detectors[index].off = !on;
		return 0;
	}
	size_t i = 0;
	while (o && o[i].name && strcmp(o[i].name, word) != 0)
		i++;
	if (!o || !o[i].name || i >= SETTINGS_OPTIONS_MAX)
		return yaml_fail(r, value, key, "unknown option; `gapscope list detectors` shows those that exist");
	char *end;
	double number = strtod(text, &end);
	if (!*text || *end || !isfinite(number) || number < o[i].min || number > o[i].max)
		return yaml_fail(r, value, key, "'%s' is no number from %g to %g%s%s", text, o[i].min, o[i].max,
				 o[i].unit && *o[i].unit ? " " : "", o[i].unit ? o[i].unit : "");
	s->detectors[index].values[i] = number;
	return 0;
}

static int on_detector(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	int i = settings_detector_index(word);

	if (i < 0)
		return yaml_fail(r, value, path, "unknown detector; `gapscope list detectors` shows those that exist");
	return yaml_each_pair(r, value, (size_t)i, path, set_detector_option);
}

/* scan: {off: [EMAIL], allow: ['*@acme.io'], own: [acme_tok_]} */
static int on_scan(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
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
		return yaml_fail(r, value, path, "unknown key; keys are off, allow and own");
	if (value->type != YAML_SEQUENCE_NODE)
		return yaml_fail(r, value, path, "must be a list, as in `[A, B]`");
	for (const yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
		const char *text = yaml_text(item);
		if (!text)
			return yaml_fail(r, item, path, "must be a list of single values");
		int e = kinds[k].add(text);
		if (e == -ENOSPC || e == -ENAMETOOLONG)
			return yaml_fail(r, item, path, "'%s' is %s", text,
					 e == -ENOSPC ? "one more than can be kept" : "too long");
		if (e < 0)
			return yaml_fail(r, item, path, "'%s' is %s", text, kinds[k].bad);
	}
	return 0;
}

static int on_top(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	if (strcmp(word, "detectors") == 0)
		return yaml_each_pair(r, value, 0, path, on_detector);
	if (strcmp(word, "scan") == 0)
		return yaml_each_pair(r, value, 0, path, on_scan);
	const struct flag *f = flag_find(run_flags, word, strlen(word));
	if (!f || strcmp(word, "config") == 0)
		return yaml_fail(r, value, path, "unknown key; keys are the long flags of `gapscope run`, 'detectors' and 'scan'");
	return set_flag(r, f, path, value);
}

int config_parse(const char *path, const char *text, size_t len, struct settings *s, char *err, size_t err_size)
{
	return yaml_parse(path, text, len, on_top, s, err, err_size);
}

int config_load(const char *path, struct settings *s, char *err, size_t err_size)
{
	return yaml_load(path, on_top, s, err, err_size);
}
