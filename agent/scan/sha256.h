/*
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). Our own because this layer has no foreign library: it is part of the build that
 * needs none. Only for fingerprints of values. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SHA256_H
#define GAPSCOPE_SCAN_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(const uint8_t *data, size_t len, uint8_t ret[32]);
void hmac_sha256(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t ret[32]);

#endif
