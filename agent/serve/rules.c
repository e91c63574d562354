/*
 * The daemon's configuration (rules.h).
 */
#include "serve/rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/yaml_map.h"

#define LISTEN_DEFAULT "127.0.0.1:9465"
#define TOKEN_LEAST 16U

static const char *const tiers[] = {"standard", "critical", "internal"};
static const char *const kinds[] = {"name", "port", "unit", "cgroup", "label"};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct key {
	const char *name;
	size_t offset;
} paths[] = {
	{"listen", offsetof(struct serve_rules, listen)},   {"token_file", offsetof(struct serve_rules, token_file)},
	{"history", offsetof(struct serve_rules, history)}, {"policy", offsetof(struct serve_rules, policy)},
	{"session", offsetof(struct serve_rules, session)},
};

static int take(struct yaml_reader *r, const char *path, const yaml_node_t *value, char *to, size_t size)
{
	const char *text = yaml_text(value);

	if (!text || !*text)
		return yaml_fail(r, value, path, "must be a single value");
	if (strlen(text) >= size)
		return yaml_fail(r, value, path, "is longer than %zu bytes", size - 1);
	snprintf(to, size, "%s", text);
	return 0;
}

static int is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return 1;
	return 0;
}

static int on_watch_key(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	struct watch_rule *w = &((struct serve_rules *)r->user)->watch[index];

	if (strcmp(word, "service") == 0)
		return take(r, path, value, w->service, sizeof(w->service));
	if (strcmp(word, "stable") == 0)
		return take(r, path, value, w->stable, sizeof(w->stable));
	if (strcmp(word, "tier") == 0) {
		const int e = take(r, path, value, w->tier, sizeof(w->tier));

		return e < 0 || is_one_of(w->tier, tiers, COUNT(tiers))
			       ? e
			       : yaml_fail(r, value, path, "must be standard, critical or internal");
	}
	if (!is_one_of(word, kinds, COUNT(kinds)))
		return yaml_fail(r, value, path,
				 "unknown key; keys are service, tier, stable, and one of name, port, unit, cgroup and label");
	if (*w->kind)
		return yaml_fail(r, value, path, "a second way to find the service; give one");
	snprintf(w->kind, sizeof(w->kind), "%s", word);
	return take(r, path, value, w->value, sizeof(w->value));
}

static int on_watch(struct yaml_reader *r, const char *path, const yaml_node_t *list)
{
	struct serve_rules *rules = r->user;

	if (list->type != YAML_SEQUENCE_NODE)
		return yaml_fail(r, list, path, "must be a list");
	for (const yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
		struct watch_rule *w = &rules->watch[rules->watch_n];

		if (rules->watch_n == BOARD_SERVICES_MAX)
			return yaml_fail(r, item, path, "more than %u", BOARD_SERVICES_MAX);
		const int e = yaml_each_pair(r, item, rules->watch_n, path, on_watch_key);
		if (e < 0)
			return e;
		if (!*w->service || !*w->kind)
			return yaml_fail(r, item, path, "each needs 'service', and one of name, port, unit, cgroup and label");
		for (size_t k = 0; k < rules->watch_n; k++)
			if (strcmp(rules->watch[k].service, w->service) == 0)
				return yaml_fail(r, item, path, "'%s' stands there twice", w->service);
		rules->watch_n++;
	}
	return 0;
}

static int on_top(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	if (strcmp(word, "watch") == 0)
		return on_watch(r, path, value);
	for (size_t i = 0; i < COUNT(paths); i++)
		if (strcmp(paths[i].name, word) == 0)
			return take(r, path, value, (char *)r->user + paths[i].offset, RULES_PATH);
	return yaml_fail(r, value, path, "unknown key; keys are listen, token_file, history, policy, session and watch");
}

static void set_defaults(struct serve_rules *r)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->listen, sizeof(r->listen), "%s", LISTEN_DEFAULT);
}

/* A stable version is another service of the list, wherever it stands there. */
static int check_stables(const struct serve_rules *r, const char *path, char *err, size_t err_size)
{
	for (size_t i = 0; i < r->watch_n; i++) {
		const char *stable = r->watch[i].stable;
		size_t k = 0;

		while (k < r->watch_n && (k == i || strcmp(r->watch[k].service, stable) != 0))
			k++;
		if (!*stable || k < r->watch_n)
			continue;
		snprintf(err, err_size, "%s: watch.stable: '%s' is no other service of the list", path, stable);
		return -EINVAL;
	}
	return 0;
}

int rules_parse(const char *path, const char *text, size_t len, struct serve_rules *ret, char *err, size_t err_size)
{
	set_defaults(ret);
	const int e = yaml_parse(path, text, len, on_top, ret, err, err_size);

	return e < 0 ? e : check_stables(ret, path, err, err_size);
}

int rules_load(const char *path, struct serve_rules *ret, char *err, size_t err_size)
{
	set_defaults(ret);
	const int e = yaml_load(path, on_top, ret, err, err_size);

	return e < 0 ? e : check_stables(ret, path, err, err_size);
}

int rules_token(const char *path, char *buf, size_t size, char *err, size_t err_size)
{
	FILE *f = fopen(path, "re");

	if (!f) {
		const int e = -errno;

		snprintf(err, err_size, "%s: cannot read the token: %s", path, strerror(-e));
		return e;
	}
	const int read = fgets(buf, (int)size, f) != NULL;
	fclose(f);
	if (read)
		buf[strcspn(buf, "\r\n")] = '\0';
	if (!read || strlen(buf) < TOKEN_LEAST) {
		snprintf(err, err_size,
			 "%s: the token must be a line of at least %u characters, such as `openssl rand -hex 32` prints", path,
			 TOKEN_LEAST);
		return -EINVAL;
	}
	return 0;
}
