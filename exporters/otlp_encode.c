/*
 * What the encoders share: attributes, packing, the envelope of a request, the reading of a response. Pure functions, any thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_encode_private.h"
#include "report/text.h"

#define ENVELOPE_ROOM 2048U /* of a request, for what is around its items */
#define ITEM_HEAD_MAX 6U    /* key and length */

struct attr_cell {
	Otlp__KeyValue pair;
	Otlp__AnyValue value;
};

static size_t text_room(const struct attr *attrs, size_t n)
{
	size_t room = 0;
	for (size_t i = 0; i < n; i++)
		if (attrs[i].type == ATTR_STRING && attrs[i].s != NULL)
			room += strlen(attrs[i].s) + 1;
	return room;
}

/* protobuf-c takes char * for strings that it only reads. */
static char *unconst(const char *text)
{
	return (char *)text;
}

int attr_tree_make(const struct attr *attrs, size_t n, struct attr_tree *ret)
{
	size_t head = n * (sizeof(Otlp__KeyValue *) + sizeof(struct attr_cell));
	struct attr_cell *cells = malloc(head + text_room(attrs, n) + 1);
	if (cells == NULL)
		return -ENOMEM;
	Otlp__KeyValue **list = (Otlp__KeyValue **)(void *)(cells + n);
	char *text = (char *)(list + n);
	for (size_t i = 0; i < n; i++) {
		struct attr_cell *c = &cells[i];
		otlp__key_value__init(&c->pair);
		otlp__any_value__init(&c->value);
		c->pair.key = unconst(attrs[i].key);
		c->pair.value = &c->value;
		switch (attrs[i].type) {
		case ATTR_STRING:
			c->value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
			c->value.string_value = unconst("");
			if (attrs[i].s != NULL) {
				/* the specification wants valid UTF-8; a receiver refuses the whole batch otherwise */
				c->value.string_value = text;
				size_t room = strlen(attrs[i].s) + 1;
				text_clean(attrs[i].s, text, room);
				text += room;
			}
			break;
		case ATTR_INT:
			c->value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
			c->value.int_value = attrs[i].i;
			break;
		case ATTR_DOUBLE:
			c->value.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
			c->value.double_value = attrs[i].d;
			break;
		case ATTR_BOOL:
			c->value.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
			c->value.bool_value = attrs[i].b;
			break;
		}
		list[i] = &c->pair;
	}
	ret->list = list;
	ret->n = n;
	return 0;
}

void attr_tree_done(struct attr_tree *t)
{
	if (t->list != NULL)
		free((struct attr_cell *)(void *)t->list - t->n);
	t->list = NULL;
}

int message_pack(const ProtobufCMessage *m, struct bytes *ret)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *data = malloc(len > 0 ? len : 1);
	if (data == NULL)
		return -ENOMEM;
	ret->len = protobuf_c_message_pack(m, data);
	ret->data = data;
	return 0;
}

/* opentelemetry.proto.common.v1.AnyValue */
static void put_value(struct pb_writer *w, const struct attr *a)
{
	switch (a->type) {
	case ATTR_STRING:
		pb_put_text(w, 1, a->s);
		break;
	case ATTR_BOOL:
		pb_put_varint(w, 2, a->b);
		break;
	case ATTR_INT:
		pb_put_varint(w, 3, (uint64_t)a->i);
		break;
	case ATTR_DOUBLE:
		pb_put_double(w, 4, a->d);
		break;
	}
}

void put_attrs(struct pb_writer *w, uint32_t field, const struct attr *attrs, size_t n)
{
	while (n-- > 0) {
		const size_t pair = pb_mark(w);
		put_value(w, &attrs[n]);
		pb_put_message(w, 2, pair);
		pb_put_bytes(w, 1, attrs[n].key, strlen(attrs[n].key));
		pb_put_message(w, field, pair);
	}
}

int otlp_encode_request(const struct resource *r, const struct bytes *items, size_t n, struct bytes *ret)
{
	static const char name[] = "gapscope", version[] = GAPSCOPE_VERSION;
	struct pb_writer w;
	size_t size = ENVELOPE_ROOM;
	for (size_t i = 0; i < n; i++)
		size += items[i].len + ITEM_HEAD_MAX;
	pb_begin(&w, NULL, 0);
	pb_grow(&w, size / 2); /* it doubles */
	/* PackedRequest { PackedResource { Resource, PackedScope { InstrumentationScope, items } } } of otlp.proto */
	for (size_t i = n; i-- > 0;)
		pb_put_bytes(&w, 2, items[i].data, items[i].len);
	size_t mark = pb_mark(&w);
	pb_put_bytes(&w, 2, version, sizeof version - 1);
	pb_put_bytes(&w, 1, name, sizeof name - 1);
	pb_put_message(&w, 1, mark);
	pb_put_message(&w, 2, 0);
	mark = pb_mark(&w);
	put_attrs(&w, 1, r->attrs, r->attrs_n);
	pb_put_message(&w, 1, mark);
	pb_put_message(&w, 1, 0);
	return pb_end(&w, ret);
}

uint64_t otlp_decode_rejected(const uint8_t *body, size_t len)
{
	Otlp__PackedResponse *response = otlp__packed_response__unpack(NULL, len, body);
	int64_t rejected = 0;
	if (response != NULL && response->partial_success != NULL)
		rejected = response->partial_success->rejected;
	if (response != NULL)
		otlp__packed_response__free_unpacked(response, NULL);
	return rejected > 0 ? (uint64_t)rejected : 0;
}
