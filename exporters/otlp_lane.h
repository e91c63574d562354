/*
 * A lane: one signal's queue, thread and destination. Spans, metrics and logs each have their own, so that one slow receiver holds back
 * only its own signal, and export is never concurrent within a signal.
 *
 * Pushing never waits for the network. Accounting is exact at every moment: produced = acknowledged + rejected + dropped + queued,
 * where what is being sent counts as queued.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_LANE_H
#define GAPSCOPE_EXPORTERS_OTLP_LANE_H

#include "exporters/otlp_env.h"
#include "exporters/otlp_queue.h"
#include "exporters/otlp_store.h"

struct otlp_lane;

/* Start a lane. The signal's configuration and the resource must outlive it; the store (NULL = none) is taken over on success. 0 or
 * -errno. */
int otlp_lane_new(const struct otlp_signal *s, const struct resource *r, struct otlp_store *store, struct otlp_lane **ret);
/* Hand over items: all of them or, where they do not fit, none (they are freed and counted as dropped). */
void otlp_lane_push(struct otlp_lane *l, struct otlp_item *items, size_t n);
/* Would an item of this weight be dropped? Then it is counted so, and need not be encoded. */
bool otlp_lane_is_full(struct otlp_lane *l, uint64_t weight);
/* Count items that could not even be encoded. */
void otlp_lane_count_dropped(struct otlp_lane *l, uint64_t weight);
/* Ask for what is queued to be sent now. */
void otlp_lane_flush_start(struct otlp_lane *l);
/* Wait until it has been, or is on file and the receiver does not answer, at most until deadline_ns (CLOCK_MONOTONIC). */
void otlp_lane_flush_wait(struct otlp_lane *l, uint64_t deadline_ns);
void otlp_lane_counts(struct otlp_lane *l, struct export_counts *ret);
/* Why the latest batch that was not delivered was not; "" if all were. */
void otlp_lane_error(struct otlp_lane *l, char *buf, size_t size);
/* Stop at once: what is queued is dropped, or on file where there is a store. */
void otlp_lane_free(struct otlp_lane *l);

#endif
