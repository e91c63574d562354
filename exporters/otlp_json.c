/*
 * OTLP's JSON form, by a walk over protobuf-c's descriptors: one function for every message there is. Written as it goes: a tree of it first
 * cost four times as much.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_encode_private.h"
#include "exporters/otlp_json.h"
#include "report/text.h"

static const struct {
	const char *resources, *scopes, *items, *rejected;
	const ProtobufCMessageDescriptor *item;
} forms[EXPORT_SIGNALS] = {
	[EXPORT_SPANS] = {"resourceSpans", "scopeSpans", "spans", "rejectedSpans", &otlp__span__descriptor},
	[EXPORT_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints", &otlp__metric__descriptor},
	[EXPORT_LOGS] = {"resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords", &otlp__log_record__descriptor},
};

static void put_message(FILE *out, const ProtobufCMessage *m);

static void put(FILE *out, const char *text)
{
	fputs_unlocked(text, out);
}

/* As lowerCamelCase, a name of a key. */
static void put_name(FILE *out, const char *name)
{
	putc_unlocked('"', out);
	for (bool upper = false; *name != '\0'; name++) {
		if (*name != '_')
			putc_unlocked(upper ? toupper((unsigned char)*name) : *name, out);
		upper = *name == '_';
	}
	put(out, "\":");
}

static void put_hex(FILE *out, const ProtobufCBinaryData *b)
{
	static const char digits[] = "0123456789abcdef";

	putc_unlocked('"', out);
	for (size_t i = 0; i < b->len; i++) {
		putc_unlocked(digits[b->data[i] >> 4], out);
		putc_unlocked(digits[b->data[i] & 15], out);
	}
	putc_unlocked('"', out);
}

/* Nearly all texts stand as they are; what is to be escaped is jansson's. */
static void put_text(FILE *out, const char *text)
{
	const size_t n = strlen(text);

	if (text_is_plain(text, n) && strcspn(text, "\"\\") == n) {
		putc_unlocked('"', out);
		fwrite_unlocked(text, 1, n, out);
		putc_unlocked('"', out);
		return;
	}
	json_t *whole = json_stringn(text, n);
	json_t *o = whole != NULL ? whole : text_json(text);
	char *escaped = json_dumps(o, JSON_ENCODE_ANY | JSON_COMPACT);
	put(out, escaped != NULL ? escaped : "\"\"");
	free(escaped);
	json_decref(o);
}

/* Protobuf's JSON form has words for what JSON has no numbers for. */
static void put_number(FILE *out, double d)
{
	char text[40];

	if (isnan(d)) {
		put(out, "\"NaN\"");
	} else if (isinf(d)) {
		put(out, d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	} else {
		snprintf(text, sizeof text, "%.17g", d);
		put(out, text);
		if (strpbrk(text, ".e") == NULL)
			put(out, ".0");
	}
}

static void put_whole(FILE *out, bool is_signed, const void *at)
{
	char text[32];

	if (is_signed)
		snprintf(text, sizeof text, "\"%lld\"", (long long)*(const int64_t *)at);
	else
		snprintf(text, sizeof text, "\"%llu\"", (unsigned long long)*(const uint64_t *)at);
	put(out, text);
}

static void put_value(FILE *out, ProtobufCType type, const void *at)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		fprintf(out, "%ld", (long)*(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		fprintf(out, "%lu", (unsigned long)*(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		put_whole(out, true, at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		put_whole(out, false, at);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		put_number(out, (double)*(const float *)at);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_number(out, *(const double *)at);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		put(out, *(const protobuf_c_boolean *)at ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_STRING:
		put_text(out, *(const char *const *)at);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_hex(out, at);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(out, *(const ProtobufCMessage *const *)at);
		break;
	}
}

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return 4;
	}
}

static void put_list(FILE *out, const ProtobufCFieldDescriptor *f, const char *base)
{
	size_t n = *(const size_t *)(const void *)(base + f->quantifier_offset);
	const char *at = *(const char *const *)(const void *)(base + f->offset);

	putc_unlocked('[', out);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			putc_unlocked(',', out);
		put_value(out, f->type, at + i * value_size(f->type));
	}
	putc_unlocked(']', out);
}

/* Is a single field to be told: chosen of its oneof, or not what it is anyway? */
static bool is_set(const ProtobufCFieldDescriptor *f, const char *base)
{
	static const char zeros[sizeof(ProtobufCBinaryData)];
	const void *at = base + f->offset;
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
		return *(const uint32_t *)(const void *)(base + f->quantifier_offset) == f->id;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return *(const char *const *)at != NULL && (*(const char *const *)at)[0] != '\0';
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)at)->len > 0;
	return memcmp(at, zeros, value_size(f->type)) != 0;
}

static void put_message(FILE *out, const ProtobufCMessage *m)
{
	const char *base = (const char *)m, *before = "{";

	for (unsigned int i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const bool list = f->label == PROTOBUF_C_LABEL_REPEATED;

		if (list ? *(const size_t *)(const void *)(base + f->quantifier_offset) == 0 : !is_set(f, base))
			continue;
		put(out, before);
		before = ",";
		put_name(out, f->name);
		if (list)
			put_list(out, f, base);
		else
			put_value(out, f->type, base + f->offset);
	}
	put(out, before[0] == '{' ? "{}" : "}");
}

static int put_items(FILE *out, enum export_signal signal, const struct bytes *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ProtobufCMessage *m = protobuf_c_message_unpack(forms[signal].item, NULL, items[i].len, items[i].data);

		if (m == NULL)
			return -EBADMSG;
		if (i > 0)
			putc_unlocked(',', out);
		put_message(out, m);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	return 0;
}

static int put_resource(FILE *out, const struct resource *r)
{
	struct attr_tree attrs = {0};
	int e = attr_tree_make(r->attrs, r->attrs_n, &attrs);

	if (e != 0)
		return e;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	resource.n_attributes = attrs.n;
	resource.attributes = attrs.list;
	put_message(out, &resource.base);
	attr_tree_done(&attrs);
	return 0;
}

int otlp_json_request(enum export_signal signal, const struct resource *r, const struct bytes *items, size_t n, struct bytes *ret)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int e;

	if (out == NULL)
		return -ENOMEM;
	fprintf(out, "{\"%s\":[{\"resource\":", forms[signal].resources);
	e = put_resource(out, r);
	fprintf(out, ",\"%s\":[{\"scope\":{\"name\":\"gapscope\",\"version\":\"" GAPSCOPE_VERSION "\"},\"%s\":[",
		forms[signal].scopes, forms[signal].items);
	if (e == 0)
		e = put_items(out, signal, items, n);
	put(out, "]}]}]}");
	if (ferror(out) != 0 && e == 0)
		e = -ENOMEM;
	if (fclose(out) != 0 && e == 0)
		e = -ENOMEM;
	if (e != 0) {
		free(text);
		return e;
	}
	*ret = (struct bytes){.data = (uint8_t *)text, .len = len};
	return 0;
}

uint64_t otlp_json_rejected(const uint8_t *body, size_t len)
{
	json_t *all = json_loadb((const char *)body, len, 0, NULL);
	const json_t *partial = json_object_get(all, "partialSuccess");
	long long rejected = 0;
	for (size_t i = 0; i < EXPORT_SIGNALS; i++) {
		const json_t *n = json_object_get(partial, forms[i].rejected);
		if (json_is_string(n))
			rejected = strtoll(json_string_value(n), NULL, 10);
		else if (json_is_integer(n))
			rejected = json_integer_value(n);
	}
	json_decref(all);
	return rejected > 0 ? (uint64_t)rejected : 0;
}
