/*
 * Which logging protocol a message over a socket is of: syslog, GELF, lines of JSON, the journal's, Fluentd's forward. Its receiver keeps it,
 * so what it holds is in a log. Stateless; any thread.
 */
#ifndef GAPSCOPE_INGEST_CARRIED_H
#define GAPSCOPE_INGEST_CARRIED_H

#include <stddef.h>
#include <stdint.h>

/* Name of the protocol of which a message begins here, NULL if it is none of these. */
const char *carried_by(const uint8_t *bytes, size_t len);

#endif
