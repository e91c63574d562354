/*
 * Metrics of resources: what the service's processes use (from samples), and what went over its connections, by peer.
 *
 * Owner: metrics.c, on the session's thread.
 */
#ifndef GAPSCOPE_REPORT_RESOURCE_METRICS_H
#define GAPSCOPE_REPORT_RESOURCE_METRICS_H

#include "model/model.h"
#include "report/snapshot.h"

#define RESOURCE_METRICS_POINTS 16U /* of its own in a snapshot */

struct resource_metrics;

struct resource_metrics *resource_metrics_new(struct counters *counters);
void resource_metrics_free(struct resource_metrics *r);
/* Samples of processes, and their end: nothing else need be told. */
static inline bool resource_metrics_wants(uint16_t id)
{
	return id == WIRE_SAMPLE_PROCESS || id == WIRE_PROCESS_GONE;
}
void resource_metrics_event(struct resource_metrics *r, const struct event *e);
/* Bytes moved over a connection; the kernel says of it how many segments were sent again so far. */
void resource_metrics_bytes(struct resource_metrics *r, const struct conn *c, enum direction d, uint64_t bytes);
void resource_metrics_retransmits(struct resource_metrics *r, const struct conn *c, uint64_t total);
/* The kernel's own counts of TCP and of processes. From then on they count, and what was sampled of single connections does not. */
void resource_metrics_kernel(struct resource_metrics *r, const struct event *e);
void resource_metrics_snapshot(struct resource_metrics *r, struct snapshot *s);

#endif
