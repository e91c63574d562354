/*
 * A span as OTLP (opentelemetry.proto.trace.v1.Span), in one pass: spans are what there is most of. Numbers of fields are those of
 * proto/otlp.proto; the test decodes them by its messages. Pure function, any thread.
 */
#include <string.h>

#include "exporters/otlp_encode_private.h"

/* opentelemetry.proto.trace.v1.SpanFlags: whether the parent is known to be remote, and whether it is; below, W3C's trace flags. */
#define FLAG_HAS_IS_REMOTE 0x100U
#define FLAG_IS_REMOTE 0x200U
#define ROOM 4096U /* most spans fit */

static void put_status(struct pb_writer *w, const struct span *s)
{
	const size_t mark = pb_mark(w);
	pb_put_varint(w, 3, s->status);
	if (s->status_text != NULL && s->status_text[0] != '\0')
		pb_put_text(w, 2, s->status_text);
	pb_put_message(w, 15, mark);
}

static void put_link(struct pb_writer *w, const struct span *s)
{
	const size_t mark = pb_mark(w);
	pb_put_bytes(w, 2, s->link_span_id, sizeof s->link_span_id);
	pb_put_bytes(w, 1, s->link_trace_id, sizeof s->link_trace_id);
	pb_put_message(w, 13, mark);
}

int otlp_encode_span(const struct span *s, size_t attrs_max, struct bytes *ret)
{
	static const uint8_t none[8];
	const size_t n = s->attrs_n < attrs_max ? s->attrs_n : attrs_max;
	uint8_t room[ROOM];
	struct pb_writer w;

	pb_begin(&w, room, sizeof room);
	pb_put_fixed32(&w, 16, FLAG_HAS_IS_REMOTE | (s->parent_remote ? FLAG_IS_REMOTE : 0) | s->trace_flags);
	if (s->status != SPAN_UNSET)
		put_status(&w, s);
	if (s->linked)
		put_link(&w, s);
	if (s->attrs_n > n)
		pb_put_varint(&w, 10, s->attrs_n - n);
	put_attrs(&w, 9, s->attrs, n);
	pb_put_fixed64(&w, 8, s->end_ns);
	pb_put_fixed64(&w, 7, s->start_ns);
	pb_put_varint(&w, 6, s->kind);
	pb_put_text(&w, 5, s->name);
	if (memcmp(s->parent_id, none, sizeof none) != 0)
		pb_put_bytes(&w, 4, s->parent_id, sizeof s->parent_id);
	pb_put_bytes(&w, 2, s->span_id, sizeof s->span_id);
	pb_put_bytes(&w, 1, s->trace_id, sizeof s->trace_id);
	return pb_end(&w, ret);
}
