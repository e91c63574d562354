/*
 * A lane's thread: waits for a batch, sends it, tries again while the rules and the batch's time allow, and counts what became of it.
 */
#include "exporters/otlp_lane_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/monotonic.h"
#include "exporters/otlp_json.h"
#include "exporters/otlp_transport.h"

#define REQUEST_MAX (64U << 20) /* bytes before compression: specification */
#define BATCH_BYTES (4U << 20)  /* what a batch aims at */
#define BATCH_ITEMS 4096U
#define BACKOFF_FIRST_MS 500U
#define BACKOFF_MAX_MS 8000U
#define STORE_AGAIN_MS 1000U

void lane_wait(struct otlp_lane *l, pthread_cond_t *cond, uint64_t deadline_ns)
{
	const struct timespec t = {.tv_sec = (time_t)(deadline_ns / 1000000000ULL), .tv_nsec = (long)(deadline_ns % 1000000000ULL)};
	if (deadline_ns == NEVER)
		pthread_cond_wait(cond, &l->lock);
	else
		pthread_cond_timedwait(cond, &l->lock, &t);
}

/* -- the lane's thread -- */

/* Wait, with the lock held, until there is a batch to send or the lane stops. */
static void await_batch(struct otlp_lane *l)
{
	while (!l->stop && l->held.items == NULL) {
		uint64_t due = l->oldest_ns + l->config->delay_ms * NS_PER_MS;
		uint64_t waiting = l->store != NULL ? l->stored : l->queue.weight;
		if (waiting == 0)
			lane_wait(l, &l->wake, NEVER);
		else if (waiting >= l->config->batch_max || l->flush || monotonic_ns() >= due)
			return;
		else
			lane_wait(l, &l->wake, due);
	}
}

/* Twice the last, spread by ± 50 % so that agents that failed together do not come back together; never before the receiver said. */
static uint64_t backoff_ms(struct otlp_lane *l, unsigned int attempt, uint64_t retry_after_ms)
{
	uint64_t ms = attempt < 5 ? (uint64_t)BACKOFF_FIRST_MS << attempt : BACKOFF_MAX_MS;
	ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
	ms = ms / 2 + (uint64_t)rand_r(&l->random) % (ms + 1);
	return retry_after_ms > ms ? retry_after_ms : ms;
}

/* Sleep between two attempts; false if the lane stops. */
static bool pause_until(struct otlp_lane *l, uint64_t deadline_ns)
{
	pthread_mutex_lock(&l->lock);
	while (!l->stop && monotonic_ns() < deadline_ns)
		lane_wait(l, &l->wake, deadline_ns);
	bool go_on = !l->stop;
	pthread_mutex_unlock(&l->lock);
	return go_on;
}

/* For who flushes: waiting longer does not help. */
static void note_failure(struct otlp_lane *l, const struct otlp_reply *reply)
{
	pthread_mutex_lock(&l->lock);
	l->failing = true;
	memcpy(l->error, reply->why, sizeof l->error);
	pthread_cond_broadcast(&l->idle);
	pthread_mutex_unlock(&l->lock);
}

/* Send a request until it is decided. The last reply is in *ret. What is in the store can wait: then the limit is an attempt's, not the
 * batch's. */
static void deliver(struct otlp_lane *l, const struct bytes *request, bool patient, struct otlp_reply *ret)
{
	uint64_t limit_ms = l->config->timeout_ms;
	uint64_t end_ns = limit_ms != 0 ? monotonic_ns() + limit_ms * NS_PER_MS : NEVER;
	for (unsigned int attempt = 0;; attempt++) {
		uint64_t now = monotonic_ns();
		uint64_t left_ms = end_ns == NEVER ? 0 : now < end_ns ? (end_ns - now) / NS_PER_MS + 1 : 1;
		l->transport->post(l->link, request, left_ms, ret);
		if (ret->verdict != OTLP_RETRY)
			return;
		if (patient)
			note_failure(l, ret);
		uint64_t next_ns = monotonic_ns() + backoff_ms(l, attempt, ret->retry_after_ms) * NS_PER_MS;
		/* a wait that would outlive the batch is not begun: later batches are waiting too */
		if ((!patient && next_ns >= end_ns) || !pause_until(l, next_ns))
			return;
		if (patient && end_ns != NEVER)
			end_ns = monotonic_ns() + limit_ms * NS_PER_MS;
	}
}

static void send_batch(struct otlp_lane *l, const struct otlp_batch *b, bool patient, struct otlp_reply *ret)
{
	struct bytes request = {0};
	struct bytes *list = calloc(b->n + 1, sizeof *list);
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED, .why = "out of memory"};
	for (size_t i = 0; list != NULL && i < b->n; i++)
		list[i] = b->items[i].bytes;
	int rc = list == NULL                        ? -ENOMEM
		 : otlp_is_json(l->config->protocol) ? otlp_json_request(l->config->kind, l->resource, list, b->n, &request)
						     : otlp_encode_request(l->resource, list, b->n, &request);
	if (rc == 0) {
		if (request.len <= REQUEST_MAX)
			deliver(l, &request, patient, ret);
		else
			snprintf(ret->why, sizeof ret->why, "a single item is larger than a request may be");
	}
	free(request.data);
	free(list);
}

/* Count what became of a batch, with the lock held. */
static void settle(struct otlp_lane *l, uint64_t weight, const struct otlp_reply *reply)
{
	uint64_t rejected = reply->rejected < weight ? reply->rejected : weight;
	if (reply->verdict == OTLP_TAKEN) {
		l->counts.rejected += rejected;
		l->counts.acknowledged += weight - rejected;
		if (rejected > 0)
			snprintf(l->error, sizeof l->error, "the receiver rejected a part (partial_success)");
	} else {
		l->counts.dropped += weight;
		if (reply->verdict != OTLP_ABORTED)
			memcpy(l->error, reply->why, sizeof l->error);
	}
}

struct otlp_batch lane_take(struct otlp_lane *l)
{
	size_t room = l->config->batch_max < BATCH_ITEMS ? (size_t)l->config->batch_max : BATCH_ITEMS;
	struct otlp_batch b = {.items = calloc(room, sizeof *b.items)};
	if (b.items != NULL)
		b.n = otlp_queue_take(&l->queue, l->config->batch_max, BATCH_BYTES, b.items, room);
	for (size_t i = 0; i < b.n; i++)
		b.weight += b.items[i].weight;
	l->queue_since_ns = monotonic_ns();
	return b;
}

void otlp_batch_done(struct otlp_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->items[i].bytes.data);
	free(b->items);
	*b = (struct otlp_batch){0};
}

/* The oldest of the store, with the lock held but for the reading itself. Empty where there is nothing that can be read. */
static struct otlp_batch take_stored(struct otlp_lane *l)
{
	struct otlp_batch b = {0};
	uint64_t dropped = 0;
	pthread_mutex_unlock(&l->lock);
	ssize_t n = otlp_store_take(l->store, l->config->batch_max, BATCH_BYTES, &b.items, &dropped);
	pthread_mutex_lock(&l->lock);
	b.n = n > 0 ? (size_t)n : 0;
	for (size_t i = 0; i < b.n; i++)
		b.weight += b.items[i].weight;
	if (dropped > 0 || n < 0) {
		l->counts.dropped += dropped;
		l->stored -= dropped < l->stored ? dropped : l->stored;
		snprintf(l->error, sizeof l->error, "the queue cannot be read: a part of it is damaged");
	}
	l->stored -= b.weight < l->stored ? b.weight : l->stored;
	if (n == 0)
		l->stored = 0; /* what was there could not be read, and is counted */
	else if (n < 0 && !l->stop)
		lane_wait(l, &l->wake, monotonic_ns() + STORE_AGAIN_MS * NS_PER_MS);
	return b;
}

/* A batch to send, with the lock held: what was in the store before comes first. *ret_stored: it is in the store. */
static struct otlp_batch next_batch(struct otlp_lane *l, bool *ret_stored)
{
	struct otlp_batch b = {0};
	*ret_stored = false;
	if (l->store == NULL) {
		b = lane_take(l);
		l->oldest_ns = l->queue_since_ns;
		return b;
	}
	if (l->stored > 0) {
		b = take_stored(l);
		*ret_stored = b.n > 0;
		l->oldest_ns = monotonic_ns();
	}
	if (b.n == 0 && l->held.items != NULL) {
		b = l->held;
		l->held = (struct otlp_batch){0};
		l->keeping = 0;
		pthread_cond_signal(&l->keep);
	}
	return b;
}

static void *lane_main(void *arg)
{
	struct otlp_lane *l = arg;
	pthread_mutex_lock(&l->lock);
	for (;;) {
		bool stored;
		await_batch(l);
		if (l->stop)
			break;
		struct otlp_batch b = next_batch(l, &stored);
		l->sending = b.weight;
		l->sending_stored = stored;
		pthread_mutex_unlock(&l->lock);

		struct otlp_reply reply = {.verdict = OTLP_ABORTED};
		if (b.n > 0)
			send_batch(l, &b, stored, &reply);
		bool again = stored && (reply.verdict == OTLP_RETRY || reply.verdict == OTLP_ABORTED);
		if (stored)
			otlp_store_settle(l->store, !again);

		pthread_mutex_lock(&l->lock);
		if (again)
			l->stored += b.weight;
		else
			settle(l, b.weight, &reply);
		l->failing = reply.verdict == OTLP_RETRY;
		l->sending = 0;
		l->flush = l->flush && (l->queue.n > 0 || l->keeping > 0 || l->stored > 0);
		pthread_cond_broadcast(&l->idle);
		otlp_batch_done(&b);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* -- everybody else -- */

/* Signals are for the agent's main thread. */
static int start_thread(struct otlp_lane *l, pthread_t *thread, void *(*body)(void *))
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(thread, NULL, body, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static void init_lock(struct otlp_lane *l)
{
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, &clock);
	pthread_cond_init(&l->keep, &clock);
	pthread_cond_init(&l->idle, &clock);
	pthread_condattr_destroy(&clock);
}

/* What is left when the threads have ended, or were never started. */
static void lane_free(struct otlp_lane *l)
{
	otlp_queue_done(&l->queue);
	l->transport->close(l->link);
	otlp_store_close(l->store);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	pthread_cond_destroy(&l->keep);
	pthread_cond_destroy(&l->idle);
	free(l);
}

int otlp_lane_new(const struct otlp_signal *s, const struct resource *r, struct otlp_store *store, struct otlp_lane **ret)
{
	struct otlp_lane *l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->config = s;
	l->resource = r;
	l->random = (unsigned int)monotonic_ns();
	l->transport = otlp_transport_of(s->protocol);
	otlp_queue_init(&l->queue, s->queue_max);
	init_lock(l);
	int rc = l->transport->open(s, &l->link);
	if (rc == 0 && store != NULL) {
		l->store = store;
		l->stored = l->counts.inherited = l->counts.produced = otlp_store_weight(store);
		rc = start_thread(l, &l->keeper, keeper_main);
	}
	if (rc == 0)
		rc = start_thread(l, &l->thread, lane_main);
	if (rc == 0) {
		*ret = l;
		return 0;
	}
	if (l->keeper != 0) {
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_signal(&l->keep);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->keeper, NULL);
	}
	l->store = NULL; /* the caller's still */
	lane_free(l);
	return rc;
}

void otlp_lane_push(struct otlp_lane *l, struct otlp_item *items, size_t n)
{
	uint64_t weight = 0, left_out = 0;
	for (size_t i = 0; i < n; i++)
		weight += items[i].weight;
	pthread_mutex_lock(&l->lock);
	l->counts.produced += weight;
	bool fits = !l->stop && l->queue.weight + weight <= l->queue.weight_max;
	if (l->queue.n == 0) {
		l->queue_since_ns = monotonic_ns();
		if (l->store == NULL)
			l->oldest_ns = l->queue_since_ns;
	}
	for (size_t i = 0; i < n; i++) {
		if (fits && otlp_queue_push(&l->queue, &items[i]))
			continue;
		left_out += items[i].weight;
		free(items[i].bytes.data);
	}
	l->counts.dropped += left_out;
	if (left_out > 0)
		snprintf(l->error, sizeof l->error, "the queue was full");
	pthread_cond_signal(l->store != NULL ? &l->keep : &l->wake);
	pthread_mutex_unlock(&l->lock);
}

bool otlp_lane_is_full(struct otlp_lane *l, uint64_t weight)
{
	pthread_mutex_lock(&l->lock);
	bool full = l->queue.weight + weight > l->queue.weight_max;
	if (full) {
		l->counts.produced += weight;
		l->counts.dropped += weight;
		snprintf(l->error, sizeof l->error, "the queue was full");
	}
	pthread_mutex_unlock(&l->lock);
	return full;
}

void otlp_lane_count_dropped(struct otlp_lane *l, uint64_t weight)
{
	pthread_mutex_lock(&l->lock);
	l->counts.produced += weight;
	l->counts.dropped += weight;
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_flush_start(struct otlp_lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->flush = l->queue.n > 0 || l->keeping > 0 || l->stored > 0;
	pthread_cond_signal(&l->wake);
	pthread_cond_signal(&l->keep);
	pthread_mutex_unlock(&l->lock);
}

static bool is_done(const struct otlp_lane *l)
{
	bool in_memory = l->queue.n > 0 || l->keeping > 0;
	if (l->store == NULL)
		return !in_memory && l->sending == 0;
	/* what is on file can wait for a receiver that does not answer */
	return !in_memory && (l->failing || (l->stored == 0 && l->sending == 0));
}

void otlp_lane_flush_wait(struct otlp_lane *l, uint64_t deadline_ns)
{
	pthread_mutex_lock(&l->lock);
	while (!is_done(l) && monotonic_ns() < deadline_ns)
		lane_wait(l, &l->idle, deadline_ns);
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_counts(struct otlp_lane *l, struct export_counts *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->counts;
	ret->queued = l->queue.weight + l->keeping + l->stored + l->sending;
	ret->kept = l->store == NULL ? 0 : l->stored + (l->sending_stored ? l->sending : 0);
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_error(struct otlp_lane *l, char *buf, size_t size)
{
	pthread_mutex_lock(&l->lock);
	snprintf(buf, size, "%s", l->error);
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_free(struct otlp_lane *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->wake);
	pthread_cond_signal(&l->keep);
	pthread_mutex_unlock(&l->lock);
	l->transport->abort(l->link);
	pthread_join(l->thread, NULL);
	if (l->store != NULL)
		pthread_join(l->keeper, NULL);
	lane_free(l);
}
