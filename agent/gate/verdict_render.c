/*
 * A verdict as text, JUnit XML and SARIF (verdict_render.h).
 */
#include "gate/verdict_render.h"

#include <string.h>

#include "report/render.h"
#include "report/render_util.h"

#define PASSED_SHOWN 6U /* passed checks told one by one; a screen holds no more */

static const struct {
	const char *name, *colour, *sign;
} states[] = {
	{"fail", "\033[1;31m", "✗"},
	{"inconclusive", "\033[1;33m", "?"},
	{"warn", "\033[33m", "!"},
	{"pass", "\033[32m", "✓"},
};
#define STATES (sizeof(states) / sizeof(*states))

static bool is(const json_t *o, const char *key, const char *value)
{
	return strcmp(json_text(o, key), value) == 0;
}

static size_t count(const json_t *list, const char *key, const char *value)
{
	size_t i, n = 0;
	const json_t *item;

	json_array_foreach (list, i, item)
		n += is(item, key, value);
	return n;
}

void verdict_text(const json_t *verdict, FILE *out, bool colour)
{
	const json_t *checks = json_object_get(verdict, "checks"), *check;
	size_t i;

	for (size_t s = 0; s < STATES; s++)
		if (is(verdict, "verdict", states[s].name))
			fprintf(out,
				"%s%s%s  %s: %" JSON_INTEGER_FORMAT " requests watched, %" JSON_INTEGER_FORMAT " records lost\n",
				colour ? states[s].colour : "", states[s].name, colour ? "\033[0m" : "",
				json_text(verdict, "service"), json_number(verdict, "requests"),
				json_number(verdict, "events_lost"));
	for (size_t s = 0; s < STATES; s++) {
		const bool passed = s == STATES - 1;
		size_t shown = 0;

		json_array_foreach (checks, i, check) {
			const bool proof = is(check, "check", "proof") || is(check, "check", "dry-run");

			if (!is(check, "state", states[s].name) || (passed && shown >= PASSED_SHOWN && !proof))
				continue;
			shown++;
			fprintf(out, "  %s%s%s %-10s %s\n", colour ? states[s].colour : "", states[s].sign, colour ? "\033[0m" : "",
				json_text(check, "check"), json_text(check, "text"));
		}
		const size_t all = count(checks, "state", states[s].name);
		if (all > shown)
			fprintf(out, "    and %zu more that passed\n", all - shown);
	}
	const json_int_t known = json_number(verdict, "known");
	if (known)
		fprintf(out, "  %" JSON_INTEGER_FORMAT " finding%s known from the baseline; `gapscope report` shows them\n", known,
			known == 1 ? " is" : "s are");
}

void verdict_junit(const json_t *verdict, FILE *out)
{
	const json_t *checks = json_object_get(verdict, "checks"), *check;
	const size_t failures = count(checks, "state", "fail"), errors = count(checks, "state", "inconclusive");
	size_t i;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n"
		"  <testsuite name=\"gapscope gate: ",
		json_array_size(checks), failures, errors);
	put_escaped(out, json_text(verdict, "service"));
	fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\">\n", json_array_size(checks), failures,
		errors);
	json_array_foreach (checks, i, check) {
		const char *element = is(check, "state", "fail") ? "failure" : is(check, "state", "inconclusive") ? "error" : NULL;

		fputs("    <testcase classname=\"gapscope.gate.", out);
		put_escaped(out, json_text(check, "check"));
		fputs("\" name=\"", out);
		put_escaped(out, json_text(check, "text"));
		fputs("\" time=\"0\"", out);
		if (element) {
			fprintf(out, ">\n      <%s type=\"%s\" message=\"", element, json_text(check, "state"));
			put_escaped(out, json_text(check, "text"));
			fputs("\"/>\n    </testcase>\n", out);
		} else {
			fputs("/>\n", out);
		}
	}
	fputs("  </testsuite>\n</testsuites>\n", out);
}

void verdict_sarif(const json_t *verdict, const json_t *report, FILE *out)
{
	json_t *shown = json_copy((json_t *)report), *findings = json_array();
	size_t i;
	json_t *f;

	json_array_foreach (json_object_get(verdict, "findings"), i, f)
		if (!is(f, "gate", "ignored"))
			json_array_append(findings, f);
	json_object_set_new(shown, "findings", findings);
	report_format_sarif.write(shown, out, false);
	json_decref(shown);
}
