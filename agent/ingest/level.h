/*
 * The log level of a line, as people write them: "ERROR", "[warn]", level=info, "severity":"DEBUG". Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_LEVEL_H
#define GAPSCOPE_INGEST_LEVEL_H

#include <stddef.h>
#include <stdint.h>

/* Name in upper case, "" if the line shows none. Only the line's beginning is looked at. */
const char *level_of(const uint8_t *line, size_t len);
/* Name of a syslog severity (RFC 5424, table 2), "" for other numbers. */
const char *level_of_priority(uint64_t priority);

/* Of a message for the journal, its fields one a line: what PRIORITY says; "" if it has none. */
const char *level_of_fields(const uint8_t *fields, size_t len);

#endif
