/*
 * OTLP's JSON form, by a walk over protobuf-c's descriptors: one function for every message there is.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_encode_private.h"
#include "exporters/otlp_json.h"

#define FIELD_NAME_MAX 64U

static const struct {
	const char *resources, *scopes, *items, *rejected;
	const ProtobufCMessageDescriptor *item;
} forms[EXPORT_SIGNALS] = {
	[EXPORT_SPANS] = {"resourceSpans", "scopeSpans", "spans", "rejectedSpans", &otlp__span__descriptor},
	[EXPORT_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints", &otlp__metric__descriptor},
	[EXPORT_LOGS] = {"resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords", &otlp__log_record__descriptor},
};

static json_t *message_json(const ProtobufCMessage *m);

static void camel(const char *name, char *out)
{
	size_t n = 0;
	for (bool upper = false; *name != '\0' && n + 1 < FIELD_NAME_MAX; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		out[n++] = upper ? (char)toupper((unsigned char)*name) : *name;
		upper = false;
	}
	out[n] = '\0';
}

static json_t *hex(const ProtobufCBinaryData *b)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * b->len + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < b->len; i++) {
		text[2 * i] = digits[b->data[i] >> 4];
		text[2 * i + 1] = digits[b->data[i] & 15];
	}
	json_t *o = json_stringn(text, 2 * b->len);
	free(text);
	return o;
}

/* Protobuf's JSON form has words for what JSON has no numbers for. */
static json_t *number(double d)
{
	if (isnan(d))
		return json_string("NaN");
	if (isinf(d))
		return json_string(d > 0 ? "Infinity" : "-Infinity");
	return json_real(d);
}

static json_t *whole(bool is_signed, const void *at)
{
	char text[32];
	if (is_signed)
		snprintf(text, sizeof text, "%lld", (long long)*(const int64_t *)at);
	else
		snprintf(text, sizeof text, "%llu", (unsigned long long)*(const uint64_t *)at);
	return json_string(text);
}

static json_t *value_json(ProtobufCType type, const void *at)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		return json_integer(*(const int32_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return whole(true, at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return whole(false, at);
	case PROTOBUF_C_TYPE_FLOAT:
		return number((double)*(const float *)at);
	case PROTOBUF_C_TYPE_DOUBLE:
		return number(*(const double *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_STRING:
		return json_string(*(const char *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
		return hex(at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_json(*(const ProtobufCMessage *const *)at);
	}
	return NULL;
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

static json_t *list_json(const ProtobufCFieldDescriptor *f, const char *base)
{
	size_t n = *(const size_t *)(const void *)(base + f->quantifier_offset);
	const char *at = *(const char *const *)(const void *)(base + f->offset);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, value_json(f->type, at + i * value_size(f->type)));
	return list;
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

static json_t *message_json(const ProtobufCMessage *m)
{
	const char *base = (const char *)m;
	char name[FIELD_NAME_MAX];
	json_t *o = json_object();
	for (unsigned int i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		camel(f->name, name);
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			if (*(const size_t *)(const void *)(base + f->quantifier_offset) > 0)
				json_object_set_new(o, name, list_json(f, base));
		} else if (is_set(f, base)) {
			json_object_set_new(o, name, value_json(f->type, base + f->offset));
		}
	}
	return o;
}

static json_t *items_json(enum export_signal signal, const struct bytes *items, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		ProtobufCMessage *m = protobuf_c_message_unpack(forms[signal].item, NULL, items[i].len, items[i].data);
		if (m == NULL || json_array_append_new(list, message_json(m)) != 0) {
			if (m != NULL)
				protobuf_c_message_free_unpacked(m, NULL);
			json_decref(list);
			return NULL;
		}
		protobuf_c_message_free_unpacked(m, NULL);
	}
	return list;
}

static json_t *resource_json(const struct resource *r)
{
	struct attr_tree attrs = {0};
	if (attr_tree_make(r->attrs, r->attrs_n, &attrs) != 0)
		return NULL;
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	resource.n_attributes = attrs.n;
	resource.attributes = attrs.list;
	json_t *o = message_json(&resource.base);
	attr_tree_done(&attrs);
	return o;
}

int otlp_json_request(enum export_signal signal, const struct resource *r, const struct bytes *items, size_t n, struct bytes *ret)
{
	json_t *list = items_json(signal, items, n);
	if (list == NULL)
		return -EBADMSG;
	json_t *all = json_pack("{s:[{s:o?, s:[{s:{s:s, s:s}, s:o}]}]}", forms[signal].resources, "resource", resource_json(r),
				forms[signal].scopes, "scope", "name", "gapscope", "version", GAPSCOPE_VERSION, forms[signal].items,
				list);
	char *text = all != NULL ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
	json_decref(all);
	if (text == NULL)
		return -ENOMEM;
	*ret = (struct bytes){.data = (uint8_t *)text, .len = strlen(text)};
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
