/*
 * The report's object: its parts, its check, and one of several. The caller's thread; nothing is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/event.h"
#include "report/report.h"

static const char *const limit_names[] = {
#define LIMIT(name, text) [LIMIT_REACHED_##name] = (text),
	COUNTED_LIMITS(LIMIT)
#undef LIMIT
};

/* The arrays that every report has, empty or not. */
static const char *const sections[] = {"findings", "deadlines", "retries", "data"};
#define SECTIONS (sizeof sections / sizeof *sections)

json_t *report_new(json_t *service)
{
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string(REPORT_SCHEMA));
	json_object_set_new(o, "service", service);
	for (size_t i = 0; i < SECTIONS; i++)
		json_object_set_new(o, sections[i], json_array());
	json_object_set_new(o, "loss", json_object());
	json_object_set_new(o, "limits", json_object());
	json_object_set_new(o, "not_exercised", json_array());
	return o;
}

json_t *report_loss(const struct counters *c)
{
	uint64_t lost = 0;
	json_t *causes = json_object();
	for (unsigned int i = 0; i < WIRE_LOSS_CAUSES; i++) {
		if (loss_is_none(i))
			continue;
		json_object_set_new(causes, loss_name(i), json_integer((json_int_t)c->lost[i]));
		lost += c->lost[i];
	}
	json_t *o = json_object();
	json_object_set_new(o, "published", json_integer((json_int_t)c->published));
	json_object_set_new(o, "lost", json_integer((json_int_t)lost));
	json_object_set_new(o, "by_cause", causes);
	if (c->lost[WIRE_LOSS_ASIDE] != 0)
		json_object_set_new(o, "aside", json_integer((json_int_t)c->lost[WIRE_LOSS_ASIDE]));
	if (c->requests_unseen != 0)
		json_object_set_new(o, "requests_unseen", json_integer((json_int_t)c->requests_unseen));
	json_object_set_new(o, "truncated_bytes", json_integer((json_int_t)c->truncated_bytes));
	json_object_set_new(o, "log_bytes_seen", json_integer((json_int_t)c->log_bytes_seen));
	json_object_set_new(o, "log_bytes_scanned", json_integer((json_int_t)c->log_bytes_read));
	return o;
}

json_t *report_limits(const struct counters *c)
{
	json_t *o = json_object();
	for (unsigned int i = 0; i < LIMIT_REACHED_N; i++)
		if (c->limit[i] != 0)
			json_object_set_new(o, limit_names[i], json_integer((json_int_t)c->limit[i]));
	return o;
}

static bool finding_check(const json_t *finding, size_t i, char *err, size_t err_size)
{
	static const char *const texts[] = {"rule", "severity", "confidence", "peer", "operation", "fingerprint", "remedy"};
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
		if (!json_is_string(json_object_get(finding, texts[k]))) {
			snprintf(err, err_size, "findings[%zu] has no text \"%s\": written by another program or changed by hand",
				 i, texts[k]);
			return false;
		}
	}
	const json_t *count = json_object_get(finding, "count");
	if (!json_is_integer(count) || json_integer_value(count) < 0) {
		snprintf(err, err_size, "findings[%zu] has no number \"count\"", i);
		return false;
	}
	if (!json_is_object(json_object_get(finding, "call_site"))) {
		snprintf(err, err_size, "findings[%zu] has no object \"call_site\"", i);
		return false;
	}
	return true;
}

bool report_check(const json_t *report, char *err, size_t err_size)
{
	const char *schema = json_string_value(json_object_get(report, "schema"));
	if (schema == NULL || strcmp(schema, REPORT_SCHEMA) != 0) {
		snprintf(err, err_size, "not a report of this version (\"schema\" is %s%s, expected " REPORT_SCHEMA ")",
			 schema != NULL ? schema : "absent",
			 schema == NULL && !json_is_object(report) ? ", and it is no object" : "");
		return false;
	}
	if (!json_is_object(json_object_get(report, "service"))) {
		snprintf(err, err_size, "the report has no object \"service\"");
		return false;
	}
	for (size_t i = 0; i < SECTIONS; i++) {
		if (!json_is_array(json_object_get(report, sections[i]))) {
			snprintf(err, err_size, "the report has no list \"%s\"", sections[i]);
			return false;
		}
	}
	size_t i;
	const json_t *finding;
	json_array_foreach (json_object_get(report, "findings"), i, finding)
		if (!finding_check(finding, i, err, err_size))
			return false;
	return true;
}

json_int_t report_requests(const json_t *report)
{
	const json_t *service = json_object_get(report, "service");
	return json_integer_value(json_object_get(service, "client_requests")) +
	       json_integer_value(json_object_get(service, "server_requests"));
}

/* Seconds since the epoch of "2026-11-21T12:00:00.000Z"; 0 if it is none. */
static double seconds_of(const char *text)
{
	struct tm tm = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	return rest ? (double)timegm(&tm) + (*rest == '.' ? strtod(rest, NULL) : 0) : 0;
}

double report_seconds(const json_t *report)
{
	const json_t *service = json_object_get(report, "service");

	return seconds_of(json_string_value(json_object_get(service, "end"))) -
	       seconds_of(json_string_value(json_object_get(service, "start")));
}

size_t report_count(const json_t *report, const char *severity)
{
	size_t i, n = 0;
	const json_t *finding;
	json_array_foreach (json_object_get(report, "findings"), i, finding) {
		const char *s = json_string_value(json_object_get(finding, "severity"));
		n += s != NULL && strcmp(s, severity) == 0;
	}
	return n;
}
