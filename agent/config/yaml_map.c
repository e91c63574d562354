/*
 * YAML files of keys with values, over libyaml's document tree (yaml_map.h).
 */
#include "config/yaml_map.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

int yaml_fail(struct yaml_reader *r, const yaml_node_t *at, const char *key, const char *format, ...)
{
	char what[384];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(r->err, r->err_size, "%s:%zu: %s%s%s", r->path, at->start_mark.line + 1, key, *key ? ": " : "", what);
	/* Keys and values are the file's: whatever they hold, what is said of them is one line. */
	for (char *c = r->err; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return -EINVAL;
}

const char *yaml_text(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE || strlen((char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

int yaml_each_pair(struct yaml_reader *r, const yaml_node_t *map, size_t index, const char *prefix, yaml_pair_fn fn)
{
	if (map->type != YAML_MAPPING_NODE)
		return yaml_fail(r, map, prefix, "must be keys with values, as in `key: value`");
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		if (key->type != YAML_SCALAR_NODE)
			return yaml_fail(r, key, prefix, "a key must be a single word");
		const char *word = (const char *)key->data.scalar.value;
		for (const yaml_node_pair_t *q = map->data.mapping.pairs.start; q < p; q++) {
			const yaml_node_t *other = yaml_document_get_node(&r->doc, q->key);
			if (other->type == YAML_SCALAR_NODE && strcmp((const char *)other->data.scalar.value, word) == 0)
				return yaml_fail(r, key, word, "stands there twice");
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

int yaml_parse(const char *path, const char *text, size_t len, yaml_pair_fn fn, void *user, char *err, size_t err_size)
{
	struct yaml_reader r = {.user = user, .path = path, .err = err, .err_size = err_size};
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
		e = yaml_each_pair(&r, root, 0, "", fn);
	yaml_document_delete(&r.doc);
	yaml_parser_delete(&parser);
	return e;
}

int yaml_load(const char *path, yaml_pair_fn fn, void *user, char *err, size_t err_size)
{
	int e = 0;
	char *text = NULL;
	FILE *f = fopen(path, "re");

	if (!f) {
		e = -errno;
		snprintf(err, err_size, "%s: cannot read it: %s", path, strerror(-e));
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
		snprintf(err, err_size, "%s: cannot read it: is it a file?", path);
		goto out;
	}
	if (len > LIMIT_CONFIG_BYTES) {
		e = -EFBIG;
		snprintf(err, err_size, "%s: larger than %u bytes", path, LIMIT_CONFIG_BYTES);
		goto out;
	}
	e = yaml_parse(path, text, len, fn, user, err, err_size);
out:
	free(text);
	fclose(f);
	return e;
}
