/*
 * What the service's traffic looked like, for comparing two sessions: for each direction, peer and operation how many requests there were,
 * how many failed, and a sample of their durations. It is the report's section "traffic".
 *
 * Owner: the session, on its thread. The sample is uniform over all requests of a row (Vitter, "Random Sampling with a Reservoir", 1985,
 * algorithm R), and the same events and seed give the same sample.
 */
#ifndef GAPSCOPE_REPORT_TRAFFIC_H
#define GAPSCOPE_REPORT_TRAFFIC_H

#include <jansson.h>

#include "core/counters.h"
#include "model/model.h"

#define TRAFFIC_ROWS 64U    /* later peers and operations are added up in a row named "other" */
#define TRAFFIC_SAMPLE 400U /* durations kept of a row */

struct traffic;

/* NULL when memory is out. */
struct traffic *traffic_new(uint64_t seed, struct counters *counters);
void traffic_free(struct traffic *t);
/* Count an ended request. One that was pending at the session's end counts as neither. */
void traffic_request(struct traffic *t, const struct request *r);
/*
 * [{direction, protocol, peer, connection, operation, requests, errors, duration_us: sorted sample}…], in a stable order. `peer` is the name
 * that was asked for, `connection` who was connected to, as findings name peers. A new array.
 */
json_t *traffic_json(struct traffic *t);
/* Of rows as traffic_json makes them, the one of the same direction, protocol, operation and peer; NULL if there is none. */
json_t *traffic_row_like(const json_t *rows, const json_t *row);

#endif
