/*
 * The policy of a gate, read from YAML against tables (policy.h).
 */
#include "gate/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml_map.h"
#include "report/render_util.h"

/* How much a service's failure costs: which findings keep it from its users, and how much has to be seen. */
static const struct tier {
	const char *name;
	enum severity fail_on;
	double requests;
} tiers[] = {{"standard", SEVERITY_WARNING, 20}, {"critical", SEVERITY_WARNING, 100}, {"internal", SEVERITY_ERROR, 20}};

static const char *const action_names[] = {[ACTION_FAIL] = "fail", [ACTION_WARN] = "warn", [ACTION_IGNORE] = "ignore"};

static const struct number {
	const char *section, *name;
	size_t offset;
	double value, min, max;
} numbers[] = {
	{"evidence", "requests", offsetof(struct gate_policy, requests), 20, 0, 1e12},
	{"evidence", "seconds", offsetof(struct gate_policy, seconds), 0, 0, 1e9},
	{"evidence", "lost_share", offsetof(struct gate_policy, lost_share), 0.01, 0, 1},
	{"evidence", "log_share", offsetof(struct gate_policy, log_share), 0.9, 0, 1},
	{"latency", "ratio", offsetof(struct gate_policy, latency_ratio), 1.25, 1, 1000},
	{"latency", "difference_ms", offsetof(struct gate_policy, latency_ms), 5, 0, 1e6},
	{"latency", "alpha", offsetof(struct gate_policy, latency_alpha), 0.001, 0, 0.5},
	{"errors", "increase", offsetof(struct gate_policy, errors_increase), 0.01, 0, 1},
	{"errors", "alpha", offsetof(struct gate_policy, errors_alpha), 0.001, 0, 0.5},
};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

static const struct word {
	const char *name;
	size_t offset;
} exception_words[] = {
	{"rule", offsetof(struct policy_exception, rule)},
	{"peer", offsetof(struct policy_exception, peer)},
	{"call_site", offsetof(struct policy_exception, call_site)},
	{"fingerprint", offsetof(struct policy_exception, fingerprint)},
	{"reason", offsetof(struct policy_exception, reason)},
};

static double *member(struct gate_policy *p, const struct number *n)
{
	return (double *)(void *)((char *)p + n->offset);
}

static void set_tier(struct gate_policy *p, const struct tier *t)
{
	p->tier = t->name;
	if (!p->says_fail_on)
		p->fail_on = t->fail_on;
	if (!p->says_requests)
		p->requests = t->requests;
}

static const struct tier *tier_named(const char *name)
{
	for (size_t i = 0; i < sizeof(tiers) / sizeof(*tiers); i++)
		if (strcmp(tiers[i].name, name) == 0)
			return &tiers[i];
	return NULL;
}

void policy_tier(struct gate_policy *p, const char *tier)
{
	const struct tier *t = tier_named(tier);

	if (t)
		set_tier(p, t);
}

void policy_defaults(struct gate_policy *p)
{
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < NUMBERS; i++)
		*member(p, &numbers[i]) = numbers[i].value;
	set_tier(p, &tiers[0]);
}

/* -- reading -- */

static int take_text(struct yaml_reader *r, const char *path, const yaml_node_t *value, char to[POLICY_TEXT])
{
	const char *text = yaml_text(value);

	if (!text || !*text)
		return yaml_fail(r, value, path, "must be a single value");
	if (strlen(text) >= POLICY_TEXT)
		return yaml_fail(r, value, path, "is longer than %u bytes", POLICY_TEXT - 1);
	snprintf(to, POLICY_TEXT, "%s", text);
	return 0;
}

static int take_number(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	const char *section = numbers[index].section, *text = yaml_text(value);
	size_t i = index;

	while (i < NUMBERS && (strcmp(numbers[i].section, section) != 0 || strcmp(numbers[i].name, word) != 0))
		i++;
	if (i == NUMBERS)
		return yaml_fail(r, value, path, "unknown key of '%s'", section);
	char *end = NULL;
	const double number = text ? strtod(text, &end) : NAN;
	if (!text || !*text || *end || !(number >= numbers[i].min && number <= numbers[i].max))
		return yaml_fail(r, value, path, "must be a number from %g to %g", numbers[i].min, numbers[i].max);
	*member(r->user, &numbers[i]) = number;
	if (numbers[i].offset == offsetof(struct gate_policy, requests))
		((struct gate_policy *)r->user)->says_requests = true;
	return 0;
}

static int take_rule(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	struct gate_policy *p = r->user;
	const char *text = yaml_text(value);
	size_t a = 0;

	(void)index;
	while (a < sizeof(action_names) / sizeof(*action_names) && (!text || strcmp(action_names[a], text) != 0))
		a++;
	if (a == sizeof(action_names) / sizeof(*action_names))
		return yaml_fail(r, value, path, "must be fail, warn or ignore");
	if (p->rules_n == POLICY_RULES_MAX || strlen(word) >= POLICY_TEXT)
		return yaml_fail(r, value, path, "one more, or longer, than can be kept");
	struct rule_policy *rule = &p->rules[p->rules_n++];
	snprintf(rule->pattern, sizeof(rule->pattern), "%s", word);
	rule->action = (enum rule_action)a;
	return 0;
}

/* "2027-01-31": digits and dashes where they belong, and a day that can be. */
static bool is_day(const char *text)
{
	int year, month, day, used = 0;

	return sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used == 10 && text[10] == '\0' && month >= 1 &&
	       month <= 12 && day >= 1 && day <= 31;
}

static int take_exception_word(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	struct policy_exception *x = &((struct gate_policy *)r->user)->exceptions[index];

	if (strcmp(word, "until") == 0) {
		const char *text = yaml_text(value);

		if (!text || !is_day(text))
			return yaml_fail(r, value, path, "must be a day, as in 2027-01-31");
		snprintf(x->until, sizeof(x->until), "%.10s", text);
		return 0;
	}
	for (size_t i = 0; i < sizeof(exception_words) / sizeof(*exception_words); i++)
		if (strcmp(exception_words[i].name, word) == 0)
			return take_text(r, path, value, (char *)x + exception_words[i].offset);
	return yaml_fail(r, value, path, "unknown key; keys are rule, peer, call_site, fingerprint, until and reason");
}

static int take_exceptions(struct yaml_reader *r, const char *path, const yaml_node_t *list)
{
	struct gate_policy *p = r->user;

	if (list->type != YAML_SEQUENCE_NODE)
		return yaml_fail(r, list, path, "must be a list");
	for (const yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
		const size_t at = p->exceptions_n;

		if (at == POLICY_EXCEPTIONS_MAX)
			return yaml_fail(r, item, path, "more than %u", POLICY_EXCEPTIONS_MAX);
		const int e = yaml_each_pair(r, item, at, path, take_exception_word);
		if (e < 0)
			return e;
		/* One that never ends, or that nobody explained, is a hole in the gate. */
		const struct policy_exception *x = &p->exceptions[at];
		if ((!*x->rule && !*x->fingerprint) || !*x->until || !*x->reason)
			return yaml_fail(r, item, path, "each needs a rule or fingerprint, 'until' and 'reason'");
		p->exceptions_n++;
	}
	return 0;
}

static int take_tier(struct yaml_reader *r, const char *path, const yaml_node_t *value)
{
	struct gate_policy *p = r->user;
	const char *text = yaml_text(value);

	const struct tier *t = text ? tier_named(text) : NULL;

	if (!t)
		return yaml_fail(r, value, path, "must be standard, critical or internal");
	set_tier(p, t);
	return 0;
}

static int take_fail_on(struct yaml_reader *r, const char *path, const yaml_node_t *value)
{
	const char *text = yaml_text(value);
	const int rank = text ? severity_rank(text) : SEVERITY_CRITICAL + 1;

	if (rank > SEVERITY_CRITICAL)
		return yaml_fail(r, value, path, "must be info, warning, error or critical");
	((struct gate_policy *)r->user)->fail_on = (enum severity)rank;
	((struct gate_policy *)r->user)->says_fail_on = true;
	return 0;
}

static int take_confidence(struct yaml_reader *r, const char *path, const yaml_node_t *value)
{
	const char *text = yaml_text(value);
	const int rank = text ? confidence_rank(text) : CONFIDENCE_PROVEN + 1;

	if (rank > CONFIDENCE_PROVEN)
		return yaml_fail(r, value, path, "must be suspected, observed or proven");
	((struct gate_policy *)r->user)->confidence = (enum confidence)rank;
	return 0;
}

/* `tier` is read first wherever it stands, so that what else is said wins over it. */
static int on_tier(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	return strcmp(word, "tier") == 0 ? take_tier(r, path, value) : 0;
}

static int on_top(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value)
{
	(void)index;
	if (strcmp(word, "tier") == 0)
		return 0;
	if (strcmp(word, "fail_on") == 0)
		return take_fail_on(r, path, value);
	if (strcmp(word, "confidence") == 0)
		return take_confidence(r, path, value);
	if (strcmp(word, "rules") == 0)
		return yaml_each_pair(r, value, 0, path, take_rule);
	if (strcmp(word, "exceptions") == 0)
		return take_exceptions(r, path, value);
	for (size_t i = 0; i < NUMBERS; i++)
		if (strcmp(numbers[i].section, word) == 0)
			return yaml_each_pair(r, value, i, path, take_number);
	return yaml_fail(r, value, path,
			 "unknown key; keys are tier, fail_on, confidence, rules, evidence, latency, errors and exceptions");
}

int policy_parse(const char *path, const char *text, size_t len, struct gate_policy *p, char *err, size_t err_size)
{
	const int e = yaml_parse(path, text, len, on_tier, p, err, err_size);

	return e < 0 ? e : yaml_parse(path, text, len, on_top, p, err, err_size);
}

int policy_load(const char *path, struct gate_policy *p, char *err, size_t err_size)
{
	const int e = yaml_load(path, on_tier, p, err, err_size);

	return e < 0 ? e : yaml_load(path, on_top, p, err, err_size);
}

/* -- asking -- */

static bool fits(const char *pattern, const char *text)
{
	return !*pattern || fnmatch(pattern, text, 0) == 0;
}

enum rule_action policy_action(const struct gate_policy *p, const json_t *finding)
{
	const char *rule = json_text(finding, "rule");

	if (confidence_rank(json_text(finding, "confidence")) < (int)p->confidence)
		return ACTION_WARN;
	for (size_t i = 0; i < p->rules_n; i++)
		if (fits(p->rules[i].pattern, rule))
			return p->rules[i].action;
	return severity_rank(json_text(finding, "severity")) >= (int)p->fail_on ? ACTION_FAIL : ACTION_WARN;
}

const struct policy_exception *policy_excepts(const struct gate_policy *p, const json_t *finding, const char *today,
					      const struct policy_exception **ret_expired)
{
	*ret_expired = NULL;
	for (size_t i = 0; i < p->exceptions_n; i++) {
		const struct policy_exception *x = &p->exceptions[i];

		if (!fits(x->rule, json_text(finding, "rule")) || !fits(x->peer, json_text(finding, "peer")) ||
		    !fits(x->call_site, json_text(json_object_get(finding, "call_site"), "text")) ||
		    !fits(x->fingerprint, json_text(finding, "fingerprint")))
			continue;
		if (strcmp(x->until, today) >= 0)
			return x;
		*ret_expired = x;
	}
	return NULL;
}
