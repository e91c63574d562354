/*
 * A finding as an OTLP log record (opentelemetry.proto.logs.v1.LogRecord): the sentence is its body, the rest its attributes. Pure
 * function, any thread.
 */
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_encode_private.h"

#define FINDING_ATTRS_MAX 20U
#define EVENT_NAME "gapscope.finding"

static const struct {
	const char *name;
	Otlp__SeverityNumber number;
} severities[] = {
	{"info", OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_INFO},
	{"warning", OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_WARN},
	{"error", OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_ERROR},
	{"critical", OTLP__SEVERITY_NUMBER__SEVERITY_NUMBER_FATAL},
};

struct builder {
	struct attr attrs[FINDING_ATTRS_MAX];
	size_t n;
};

static void put_text(struct builder *b, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);
	if (text != NULL && text[0] != '\0' && b->n < FINDING_ATTRS_MAX)
		b->attrs[b->n++] = (struct attr){.key = key, .type = ATTR_STRING, .s = text};
}

static void put_int(struct builder *b, const char *key, const json_t *value)
{
	if (json_is_integer(value) && b->n < FINDING_ATTRS_MAX)
		b->attrs[b->n++] = (struct attr){.key = key, .type = ATTR_INT, .i = json_integer_value(value)};
}

static void put_all(struct builder *b, const json_t *f, char *evidence)
{
	/* member of the report's finding → attribute */
	static const struct {
		const char *member, *key;
	} texts[] = {
		{"rule", "gapscope.rule"},
		{"severity", "gapscope.severity"},
		{"confidence", "gapscope.confidence"},
		{"peer", "gapscope.peer"},
		{"operation", "gapscope.operation"},
		{"sink", "gapscope.sink"},
		{"fingerprint", "gapscope.fingerprint"},
		{"remedy", "gapscope.remedy"},
		{"first_seen", "gapscope.first_seen"},
		{"last_seen", "gapscope.last_seen"},
	};
	const json_t *site = json_object_get(f, "call_site");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		put_text(b, texts[i].key, json_object_get(f, texts[i].member));
	put_int(b, "gapscope.count", json_object_get(f, "count"));
	put_text(b, "gapscope.call_site", json_object_get(site, "text"));
	put_text(b, "code.function.name", json_object_get(site, "function"));
	put_text(b, "code.file.path", json_object_get(site, "file"));
	put_int(b, "code.line.number", json_object_get(site, "line"));
	if (evidence != NULL && b->n < FINDING_ATTRS_MAX)
		b->attrs[b->n++] = (struct attr){.key = "gapscope.evidence", .type = ATTR_STRING, .s = evidence};
}

int otlp_encode_finding(const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns,
			uint64_t observed_ns, struct bytes *ret)
{
	struct builder b = {.n = 0};
	struct attr_tree attrs;
	char *evidence = json_dumps(json_object_get(finding, "evidence"), JSON_COMPACT | JSON_REAL_PRECISION(12));
	put_all(&b, finding, evidence);
	int rc = attr_tree_make(b.attrs, b.n, &attrs);
	if (rc != 0)
		goto out;
	Otlp__LogRecord record = OTLP__LOG_RECORD__INIT;
	Otlp__AnyValue body = OTLP__ANY_VALUE__INIT;
	const char *message = json_string_value(json_object_get(finding, "message"));
	const char *severity = json_string_value(json_object_get(finding, "severity"));
	for (size_t i = 0; severity != NULL && i < sizeof severities / sizeof *severities; i++)
		if (strcmp(severity, severities[i].name) == 0)
			record.severity_number = severities[i].number;
	record.severity_text = (char *)(severity != NULL ? severity : "");
	record.time_unix_nano = time_ns;
	record.observed_time_unix_nano = observed_ns;
	record.event_name = (char *)EVENT_NAME;
	body.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	body.string_value = (char *)(message != NULL ? message : "");
	record.body = &body;
	record.n_attributes = attrs.n;
	record.attributes = attrs.list;
	if (trace_id != NULL && span_id != NULL) {
		record.trace_id = (ProtobufCBinaryData){.len = 16, .data = (uint8_t *)trace_id};
		record.span_id = (ProtobufCBinaryData){.len = 8, .data = (uint8_t *)span_id};
		record.flags = 1;
	}
	rc = message_pack(&record.base, ret);
	attr_tree_done(&attrs);
out:
	free(evidence);
	return rc;
}
