/*
 * /tmp/perf-PID.map: the names of code that a run-time compiler made (node --perf-basic-prof, java agents, python -X perf …).
 *
 * Lines "start size name", hexadecimal. Read when first needed, and again when the file has grown and an address is not found.
 * Owner: modules.c, one per process; ingest's thread only.
 */
#ifndef GAPSCOPE_INGEST_PERFMAP_H
#define GAPSCOPE_INGEST_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

struct perfmap;

struct perfmap *perfmap_new(uint32_t pid);
void perfmap_free(struct perfmap *p);
/* Name of the code at `address`, valid until the next call; NULL if there is none. */
const char *perfmap_find(struct perfmap *p, uint64_t address);
/* Take the map from text instead (changed in place, NUL-terminated), for tests. 0 or -ENOMEM. */
int perfmap_parse(struct perfmap *p, char *text);

#endif
