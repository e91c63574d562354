/*
 * For otlp_lane.c and otlp_keeper.c: a lane and what is under its lock.
 *
 * With a store there are two threads: the keeper moves what was pushed into the store at once (otlp_keeper.c), the lane's own thread sends
 * what the store has. Neither touches the disk with the lock held, so pushing never waits for one.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_LANE_PRIVATE_H
#define GAPSCOPE_EXPORTERS_OTLP_LANE_PRIVATE_H

#include <pthread.h>

#include "exporters/otlp_lane.h"
#include "exporters/otlp_store.h"
#include "exporters/otlp_transport.h"

#define NS_PER_MS 1000000ULL
#define NEVER UINT64_MAX

/* Items on their way. */
struct otlp_batch {
	struct otlp_item *items;
	size_t n;
	uint64_t weight;
};

struct otlp_lane {
	const struct otlp_signal *config;
	const struct resource *resource;
	const struct otlp_transport *transport;
	void *link;               /* the transport's */
	struct otlp_store *store; /* NULL = in memory only */
	pthread_t thread, keeper;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t wake;  /* the lane's thread: there is work */
	pthread_cond_t keep;  /* the keeper: there is work */
	pthread_cond_t idle;  /* who flushes: a batch is done */
	struct otlp_queue queue;
	uint64_t keeping;        /* weight of what the keeper has in its hands */
	uint64_t stored;         /* weight of what is in the store, what is being sent excepted */
	struct otlp_batch held;  /* what could not be stored, of `keeping`: the lane's thread may send it */
	uint64_t sending;        /* weight of the batch under way */
	uint64_t queue_since_ns; /* when the queue stopped being empty */
	uint64_t oldest_ns;      /* when what there is to send (queue or store) did, or was last sent of */
	bool sending_stored;     /* it is in the store, too */
	bool flush, stop;
	bool failing;                /* the latest attempt was not answered well */
	struct export_counts counts; /* without `queued` */
	char error[256];
	unsigned int random; /* the thread's own, for jitter */
};

/* Wait on a condition, with the lock held, until deadline_ns (NEVER = without limit). */
void lane_wait(struct otlp_lane *l, pthread_cond_t *cond, uint64_t deadline_ns);
/* Take a batch out of the queue, with the lock held. items is NULL where memory is out. */
struct otlp_batch lane_take(struct otlp_lane *l);
void otlp_batch_done(struct otlp_batch *b);
/* The keeper's thread. */
void *keeper_main(void *lane);

#endif
