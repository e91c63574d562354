/*
 * Values that are divided over two calls on a connection: "password=hun" in one read, "ter2&x=1" in the next. The first part is
 * overwritten because a value may begin there (scan_open_end), the second because both together are one.
 *
 * Owner: redact; its thread only. Holds the last bytes of each direction of each descriptor as they were, wiped when they are replaced
 * or the descriptor ends.
 */
#ifndef GAPSCOPE_INGEST_HALVES_H
#define GAPSCOPE_INGEST_HALVES_H

#include <stdbool.h>

#include "core/counters.h"
#include "scan/scan.h"

struct halves;

/* NULL when memory is out. The scanner and the counters stay the caller's. */
struct halves *halves_new(struct scanner *scanner, struct counters *counters);
void halves_free(struct halves *h);
/* Records of a process were lost: what its streams go on with may be the rest of a value whose beginning was not seen. */
void halves_lost(struct halves *h, uint32_t pid);
/* Told of each value before it is overwritten: one that two calls divide when its end comes. */
typedef void (*halves_fn)(void *ctx, const struct entity *entity, const uint8_t *value, size_t len);
/* Overwrite what the scanner knows in `len` bytes that went through descriptor `fd` of process `pid`, `out` or in; `gap`: more followed
 * that was not captured. fn may be NULL. */
void halves_redact(struct halves *h, uint32_t pid, int fd, bool out, uint8_t *bytes, size_t len, bool gap, halves_fn fn, void *ctx);
/* Descriptors first … last of the process end; INT_MIN … INT_MAX: the process. */
void halves_end(struct halves *h, uint32_t pid, int first, int last);

#endif
