/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of recordings. Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_CRC32C_H
#define GAPSCOPE_INGEST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `len` more bytes after those that gave `crc`; 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
