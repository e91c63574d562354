/*
 * For otlp_encode*.c: attributes written in one pass, or as protobuf-c trees in a block of memory that one free releases.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_ENCODE_PRIVATE_H
#define GAPSCOPE_EXPORTERS_OTLP_ENCODE_PRIVATE_H

#include <otlp.pb-c.h>

#include "exporters/pb_writer.h"

/* A list of attributes: pointers, messages and texts in one allocation. */
struct attr_tree {
	Otlp__KeyValue **list;
	size_t n;
};

/* 0 or -ENOMEM. attr_tree_done frees it. */
int attr_tree_make(const struct attr *attrs, size_t n, struct attr_tree *ret);
void attr_tree_done(struct attr_tree *t);
/* Encode a message. 0 or -ENOMEM. */
int message_pack(const ProtobufCMessage *m, struct bytes *ret);

/* Attributes as `repeated KeyValue field`. */
void put_attrs(struct pb_writer *w, uint32_t field, const struct attr *attrs, size_t n);

#endif
