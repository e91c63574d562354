/*
 * A bounded queue of encoded items. An item weighs what it counts for (a metric its data points), and weights are what is bounded.
 * Not thread-safe: otlp_lane.c holds its lock around it.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_QUEUE_H
#define GAPSCOPE_EXPORTERS_OTLP_QUEUE_H

#include <stdbool.h>

#include "exporters/otlp_encode.h"

struct otlp_item {
	struct bytes bytes;
	uint64_t weight;
};

struct otlp_queue {
	struct otlp_item *items; /* a ring */
	size_t room, first, n;
	uint64_t weight, weight_max;
};

void otlp_queue_init(struct otlp_queue *q, uint64_t weight_max);
/* Add an item; false, and nothing is taken over, where it does not fit or memory is out. */
bool otlp_queue_push(struct otlp_queue *q, const struct otlp_item *item);
/* Move the oldest items out, until their weight would pass weight_max or their size size_max; at least one if there is one. `out` has
 * room for out_max. Returns how many. */
size_t otlp_queue_take(struct otlp_queue *q, uint64_t weight_max, size_t size_max, struct otlp_item *out, size_t out_max);
/* Free all items. */
void otlp_queue_done(struct otlp_queue *q);

#endif
