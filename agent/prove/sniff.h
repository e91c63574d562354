/*
 * As much of the bytes as a fault has to know: where a TLS session begins to carry data, where the head of an HTTP/1 message ends, and
 * whether a request is there whole. No state but what is passed; any thread.
 */
#ifndef GAPSCOPE_PROVE_SNIFF_H
#define GAPSCOPE_PROVE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The records of one direction of a TLS connection, as they come. */
struct sniff_tls {
	uint8_t head[5];
	uint32_t have; /* bytes of head */
	uint32_t skip; /* bytes of the record that are still to come */
	bool data;     /* a record of application data has begun */
};

bool sniff_is_tls(const uint8_t *data, size_t len);
void sniff_tls(struct sniff_tls *s, const uint8_t *data, size_t len);
bool sniff_is_http_request(const uint8_t *data, size_t len);
/* Bytes up to the end of the head, its empty line included; 0 if that has not come. */
size_t sniff_http_head(const uint8_t *data, size_t len);
/* Has the whole request come, as far as its head tells? */
bool sniff_http_whole(const uint8_t *data, size_t len);

#endif
