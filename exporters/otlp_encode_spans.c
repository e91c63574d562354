/*
 * A span as OTLP (opentelemetry.proto.trace.v1.Span). Pure function, any thread.
 */
#include <string.h>

#include "exporters/otlp_encode_private.h"

#define FLAG_HAS_IS_REMOTE 0x100U
#define FLAG_IS_REMOTE 0x200U

static ProtobufCBinaryData id(const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)bytes};
}

int otlp_encode_span(const struct span *s, size_t attrs_max, struct bytes *ret)
{
	static const uint8_t none[8];
	struct attr_tree attrs;
	size_t n = s->attrs_n < attrs_max ? s->attrs_n : attrs_max;
	int rc = attr_tree_make(s->attrs, n, &attrs);
	if (rc != 0)
		return rc;
	Otlp__Span span = OTLP__SPAN__INIT;
	Otlp__Status status = OTLP__STATUS__INIT;
	span.trace_id = id(s->trace_id, sizeof s->trace_id);
	span.span_id = id(s->span_id, sizeof s->span_id);
	if (memcmp(s->parent_id, none, sizeof none) != 0)
		span.parent_span_id = id(s->parent_id, sizeof s->parent_id);
	span.flags = FLAG_HAS_IS_REMOTE | (s->parent_remote ? FLAG_IS_REMOTE : 0) | s->trace_flags;
	span.name = (char *)s->name;
	span.kind = (Otlp__Span__SpanKind)s->kind;
	span.start_time_unix_nano = s->start_ns;
	span.end_time_unix_nano = s->end_ns;
	span.n_attributes = attrs.n;
	span.attributes = attrs.list;
	span.dropped_attributes_count = (uint32_t)(s->attrs_n - n);
	Otlp__Span__Link link = OTLP__SPAN__LINK__INIT, *links[] = {&link};
	if (s->linked) {
		link.trace_id = id(s->link_trace_id, sizeof s->link_trace_id);
		link.span_id = id(s->link_span_id, sizeof s->link_span_id);
		span.n_links = 1;
		span.links = links;
	}
	if (s->status != SPAN_UNSET) {
		status.code = (Otlp__Status__StatusCode)s->status;
		if (s->status_text != NULL)
			status.message = (char *)s->status_text;
		span.status = &status;
	}
	rc = message_pack(&span.base, ret);
	attr_tree_done(&attrs);
	return rc;
}
