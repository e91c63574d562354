/*
 * Messages for a log that were compressed, as GELF's libraries do before they send one (docs.graylog.org, GELF payload specification: GZIP or
 * ZLIB). Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_PACKED_H
#define GAPSCOPE_INGEST_PACKED_H

#include <stddef.h>
#include <stdint.h>

/* What a message that begins as gzip or zlib does holds, at most `room` bytes of it and no more than its captured part gives; 0 if it is
 * neither. */
size_t packed_read(const uint8_t *bytes, size_t len, uint8_t *out, size_t room);

#endif
