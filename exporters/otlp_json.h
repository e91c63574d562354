/*
 * OTLP's JSON form (specification: OTLP/HTTP, JSON Protobuf encoding): hexadecimal ids, enums as numbers, lowerCamelCase, 64-bit integers
 * as text. Made from the encoded items, so that both forms say the same. Pure functions, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_JSON_H
#define GAPSCOPE_EXPORTERS_OTLP_JSON_H

#include "exporters/otlp_encode.h"

/* A whole request of a signal around n ≥ 1 encoded items, as one line without its end. 0, -ENOMEM, or -EBADMSG for an item that is none. */
int otlp_json_request(enum export_signal signal, const struct resource *r, const struct bytes *items, size_t n, struct bytes *ret);
/* As otlp_decode_rejected, of a JSON answer. */
uint64_t otlp_json_rejected(const uint8_t *body, size_t len);

#endif
