/* The memory profile of a report as pprof reads it: profile.proto, gzipped. Pure function, any thread. */
#ifndef GAPSCOPE_EXPORTERS_PPROF_H
#define GAPSCOPE_EXPORTERS_PPROF_H

#include <jansson.h>

#include "exporters/otlp_encode.h"

/*
 * Of the report's section "heap": objects and bytes that were allocated, and those in use, by call stack. 0 or -errno (-ENODATA: allocations
 * were not watched); ret->data is the caller's to free.
 */
int pprof_encode(const json_t *report, struct bytes *ret);

#endif
