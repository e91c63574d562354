/*
 * Call sites: gives each event the id of its stack. A record with a snapshot is unwound and named; one that has only the shim's hash of its
 * site gets the stack last seen at that site of its process.
 *
 * Also keeps what unwinding needs of each process: its modules, told by MODULE events. Owner: ingest; its thread only.
 */
#ifndef GAPSCOPE_INGEST_CALLSITE_H
#define GAPSCOPE_INGEST_CALLSITE_H

#include "core/counters.h"
#include "core/stacks.h"
#include "ingest/order.h"

/* Id of a pending event that nobody is told: it brings the stack of a site. Its data are return addresses by frame pointers. */
#define CALLSITE_SEEN 0U

struct callsites;

/* NULL when memory is out. `stacks` and `counters` stay the caller's. */
struct callsites *callsites_new(struct stacks *stacks, struct counters *counters);
void callsites_free(struct callsites *c);
/* Stack id of an event, 0 if unknown. Events must come in order: modules before the stacks that need them. */
uint32_t callsites_stack(struct callsites *c, const struct pending *p);

#endif
