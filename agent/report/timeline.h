/*
 * Requests over time, for pictures of rates and latency: for each direction and step of time how many there were, how many failed, and
 * quantiles of how long they took. It is the report's section "timeline".
 *
 * Owner: the session, on its thread. Bounded: when the steps are used up, neighbours are put together and a step is twice as long.
 */
#ifndef GAPSCOPE_REPORT_TIMELINE_H
#define GAPSCOPE_REPORT_TIMELINE_H

#include <jansson.h>

#include "model/model.h"

#define TIMELINE_STEPS 120U /* even; at first of a second each */

struct timeline;

/* NULL when memory is out. */
struct timeline *timeline_new(void);
void timeline_free(struct timeline *t);
/* Count an ended request at the time of its end; the first one begins the line. One that was pending at the session's end counts as none. */
void timeline_request(struct timeline *t, const struct request *r);
/*
 * {start, step_s, client: {requests, errors, p50_us, p95_us}, server: …}, lists with a number for each step up to now; null is the
 * quantile of no request. Quantiles are right to a fifth. A new object.
 */
json_t *timeline_json(const struct timeline *t, uint64_t now_ns);

#endif
