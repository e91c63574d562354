/*
 * The keeper: a lane's second thread, which moves what was pushed into the durable store within a tenth of a second. What is in the store
 * survives the agent. Where the store cannot take it (the disk is full), the batch is held for the lane's thread, which sends it from memory;
 * the store is tried again every second.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/monotonic.h"
#include "exporters/otlp_lane_private.h"

#define GATHER_MS 100U /* how long the first item waits for others */
#define AGAIN_MS 1000U

/* Wait, with the lock held, until there is something to store; false at the end. */
static bool await_items(struct otlp_lane *l)
{
	for (;;) {
		if (l->queue.n == 0 && l->stop)
			return false;
		uint64_t due = l->queue_since_ns + GATHER_MS * NS_PER_MS;
		bool full = l->queue.weight >= l->config->batch_max;
		if (l->queue.n == 0)
			lane_wait(l, &l->keep, NEVER);
		else if (full || l->flush || l->stop || monotonic_ns() >= due)
			return true;
		else
			lane_wait(l, &l->keep, due);
	}
}

/* Note, with the lock held, why the store does not take it, and offer the batch to the lane's thread until it is time to try again. True if
 * the batch was left to it. */
static bool offer(struct otlp_lane *l, struct otlp_batch *b, int rc)
{
	uint64_t again = monotonic_ns() + AGAIN_MS * NS_PER_MS;
	snprintf(l->error, sizeof l->error, "the queue cannot be written: %s", strerror(-rc));
	l->held = *b;
	pthread_cond_signal(&l->wake);
	while (!l->stop && l->held.items != NULL && monotonic_ns() < again)
		lane_wait(l, &l->keep, again);
	bool left = l->held.items == NULL;
	l->held = (struct otlp_batch){0};
	return left;
}

/* Store a batch, with the lock held but for the writing itself. */
static void store_batch(struct otlp_lane *l, struct otlp_batch *b)
{
	for (;;) {
		uint64_t dropped = 0;
		pthread_mutex_unlock(&l->lock);
		int rc = otlp_store_put(l->store, b->items, b->n, &dropped);
		pthread_mutex_lock(&l->lock);
		if (dropped > 0) {
			l->counts.dropped += dropped;
			l->stored -= dropped < l->stored ? dropped : l->stored;
			snprintf(l->error, sizeof l->error, "%s", rc == -EUCLEAN ? "the queue was damaged" : "the queue was full");
		}
		if (rc == 0) {
			if (l->stored == 0)
				l->oldest_ns = monotonic_ns();
			l->stored += b->weight;
			l->keeping = 0;
			break;
		}
		if (rc == -EUCLEAN)
			continue; /* there is a new file now */
		bool last = l->stop;
		if (offer(l, b, rc))
			return; /* the lane's thread has it, and counts it */
		if (last) {
			l->counts.dropped += b->weight;
			l->keeping = 0;
			break;
		}
	}
	pthread_cond_signal(&l->wake);
	pthread_cond_broadcast(&l->idle);
	otlp_batch_done(b);
}

void *keeper_main(void *lane)
{
	struct otlp_lane *l = lane;
	pthread_mutex_lock(&l->lock);
	while (await_items(l)) {
		struct otlp_batch b = lane_take(l);
		if (b.items == NULL)
			break;
		l->keeping = b.weight;
		store_batch(l, &b);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}
