/*
 * The report as SARIF 2.1.0 (OASIS), for code-scanning dashboards: rules, results with physical locations where lines are known, logical
 * ones where not, and the fingerprint that lets them be followed from build to build. The caller's thread.
 */
#include <string.h>

#include "report/render.h"
#include "report/render_util.h"

static const char *level(const char *severity)
{
	return strcmp(severity, "critical") == 0 || strcmp(severity, "error") == 0 ? "error"
	       : strcmp(severity, "warning") == 0                                  ? "warning"
										   : "note";
}

/* Index of a rule among the tool's, added when it is new. */
static size_t rule_index(json_t *rules, const json_t *f)
{
	size_t i;
	const json_t *rule;
	json_array_foreach (rules, i, rule)
		if (strcmp(json_text(rule, "id"), json_text(f, "rule")) == 0)
			return i;
	const char *title = json_text(f, "title");
	json_array_append_new(rules,
			      json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}}", "id", json_text(f, "rule"), "shortDescription", "text",
					title[0] != '\0' ? title : json_text(f, "rule"), "help", "text", json_text(f, "remedy"),
					"defaultConfiguration", "level", level(json_text(f, "severity"))));
	return json_array_size(rules) - 1;
}

/* A file as a URI reference: what RFC 3986 does not allow in a path is percent-encoded. */
static json_t *uri(const char *path)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=@";
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	fputs(path[0] == '/' ? "file://" : "", out);
	for (const char *c = path; *c != '\0'; c++)
		if (strchr(allowed, *c) != NULL)
			fputc(*c, out);
		else
			fprintf(out, "%%%02X", (unsigned int)(unsigned char)*c);
	json_t *o = fclose(out) == 0 ? json_string(text) : NULL;
	free(text);
	return o;
}

static json_t *location(const json_t *site)
{
	json_t *o = json_object();
	const char *file = json_text(site, "file"), *function = json_text(site, "function");
	if (file[0] != '\0') {
		json_t *physical = json_pack("{s:{s:o}}", "artifactLocation", "uri", uri(file));
		if (json_number(site, "line") > 0)
			json_object_set_new(physical, "region", json_pack("{s:I}", "startLine", json_number(site, "line")));
		json_object_set_new(o, "physicalLocation", physical);
	}
	json_object_set_new(o, "logicalLocations",
			    json_pack("[{s:s, s:s, s:s}]", "name", function[0] != '\0' ? function : json_text(site, "text"),
				      "fullyQualifiedName", json_text(site, "text"), "kind",
				      function[0] != '\0' ? "function" : "module"));
	return o;
}

static json_t *result(json_t *rules, const json_t *f)
{
	const char *message = json_text(f, "message");
	json_t *o = json_object();
	json_object_set_new(o, "ruleId", json_string(json_text(f, "rule")));
	json_object_set_new(o, "ruleIndex", json_integer((json_int_t)rule_index(rules, f)));
	json_object_set_new(o, "level", json_string(level(json_text(f, "severity"))));
	json_object_set_new(o, "message", json_pack("{s:s}", "text", message[0] != '\0' ? message : json_text(f, "title")));
	json_object_set_new(o, "locations", json_pack("[o]", location(json_object_get(f, "call_site"))));
	json_object_set_new(o, "partialFingerprints", json_pack("{s:s}", "gapscope/v1", json_text(f, "fingerprint")));
	if (json_number(f, "count") > 0) /* SARIF has no zero */
		json_object_set_new(o, "occurrenceCount", json_integer(json_number(f, "count")));
	if (json_text(f, "baseline_state")[0] != '\0') /* a gate compared it */
		json_object_set(o, "baselineState", json_object_get(f, "baseline_state"));
	json_t *properties = json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity", json_text(f, "severity"), "confidence",
				       json_text(f, "confidence"), "peer", json_text(f, "peer"), "operation",
				       json_text(f, "operation"), "remedy", json_text(f, "remedy"));
	if (json_object_get(f, "evidence") != NULL)
		json_object_set(properties, "evidence", json_object_get(f, "evidence"));
	json_object_set_new(o, "properties", properties);
	return o;
}

static void sarif_write(const json_t *report, FILE *out, bool colour)
{
	(void)colour;
	json_t *rules = json_array(), *results = json_array();
	size_t i;
	const json_t *f;
	json_array_foreach (json_object_get(report, "findings"), i, f)
		json_array_append_new(results, result(rules, f));
	json_t *o = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:o, s:[{s:b, s:s, s:s}]}]}", "$schema",
			      "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name",
			      "gapscope", "version", GAPSCOPE_VERSION, "rules", rules, "columnKind", "utf16CodeUnits", "results",
			      results, "invocations", "executionSuccessful", 1, "startTimeUtc",
			      json_text(json_object_get(report, "service"), "start"), "endTimeUtc",
			      json_text(json_object_get(report, "service"), "end"));
	json_dumpf(o, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(o);
}

const struct report_format report_format_sarif = {
	.name = "sarif",
	.doc = "SARIF 2.1.0: for code-scanning dashboards",
	.write = sarif_write,
};
