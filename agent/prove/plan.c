/*
 * See plan.h.
 */
#include "prove/plan.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_TEXT 256U

static const struct number {
	const char *name;
	size_t offset;
	double scale, min, max;
} numbers[] = {
	{"share", offsetof(struct plan, share), 0.01, 0.1, 100},    {"errors", offsetof(struct plan, errors), 0.01, 0, 100},
	{"seconds", offsetof(struct plan, seconds), 1, 0.1, 86400}, {"hold", offsetof(struct plan, hold), 1, 0.1, 3600},
	{"learn", offsetof(struct plan, learn), 1, 0, 86400},
};

void plan_defaults(struct plan *p, bool launched)
{
	*p = (struct plan){
		.share = launched ? 1 : 0.1, .errors = launched ? 1 : 0.2, .seconds = 180, .hold = 30, .learn = launched ? 0 : 5};
	for (unsigned int k = 0; k < FAULTS; k++)
		p->kinds[k] = true;
}

static int parse_faults(struct plan *p, char *text, char *err, size_t err_size)
{
	char *rest = text, *name;

	memset(p->kinds, 0, sizeof(p->kinds));
	while ((name = strsep(&rest, "+")) != NULL) {
		const enum fault_kind k = fault_find(name);

		if (k == FAULTS) {
			snprintf(err, err_size, "prove: '%s' is no fault; there are:", name);
			for (unsigned int i = 0; i < FAULTS; i++) {
				const size_t at = strlen(err);

				snprintf(err + at, err_size - at, " %s", faults[i].name);
			}
			return -EINVAL;
		}
		p->kinds[k] = true;
	}
	return 0;
}

static int parse_number(struct plan *p, const char *name, const char *value, char *err, size_t err_size)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		const struct number *n = &numbers[i];
		char *end;

		if (strcmp(n->name, name) != 0)
			continue;
		const double v = strtod(value, &end);

		if (end == value || *end || !(v >= n->min && v <= n->max)) {
			snprintf(err, err_size, "prove: %s: '%s' is no number from %g to %g", name, value, n->min, n->max);
			return -EINVAL;
		}
		*(double *)(void *)((char *)p + n->offset) = v * n->scale;
		return 0;
	}
	snprintf(err, err_size, "prove: '%s' is not known: faults, share, errors, seconds, hold, learn or dry", name);
	return -EINVAL;
}

int plan_parse(struct plan *p, const char *text, char *err, size_t err_size)
{
	char copy[PLAN_TEXT], *rest = copy, *name;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy)) {
		snprintf(err, err_size, "prove: more than %u bytes", PLAN_TEXT - 1);
		return -EINVAL;
	}
	while ((name = strsep(&rest, ",")) != NULL) {
		char *value = strchr(name, '=');
		int e = 0;

		if (value)
			*value++ = '\0';
		if (!*name)
			continue;
		if (strcmp(name, "on") == 0)
			continue;
		if (strcmp(name, "dry") == 0)
			p->dry = true;
		else if (strcmp(name, "faults") == 0)
			e = parse_faults(p, value ? value : name, err, err_size);
		else
			e = parse_number(p, name, value ? value : "", err, err_size);
		if (e < 0)
			return e;
	}
	return 0;
}
