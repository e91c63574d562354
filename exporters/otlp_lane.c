/*
 * A lane's thread: waits for a batch, sends it, tries again while the rules and the batch's time allow, and counts what became of it.
 */
#include "exporters/otlp_lane.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/otlp_json.h"
#include "exporters/otlp_transport.h"

#define REQUEST_MAX (64U << 20) /* bytes before compression: specification */
#define BATCH_BYTES (4U << 20)  /* what a batch aims at */
#define BACKOFF_FIRST_MS 500U
#define BACKOFF_MAX_MS 8000U
#define NS_PER_MS 1000000ULL
#define NEVER UINT64_MAX

struct otlp_lane {
	const struct otlp_signal *config;
	const struct resource *resource;
	const struct otlp_transport *transport;
	void *link; /* the transport's */
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t wake;  /* the lane's thread: there is work */
	pthread_cond_t idle;  /* who flushes: a batch is done */
	struct otlp_queue queue;
	uint64_t sending;   /* weight of the batch under way */
	uint64_t oldest_ns; /* when the queue stopped being empty */
	bool flush, stop;
	struct export_counts counts; /* without `queued` */
	char error[256];
	unsigned int random; /* the thread's own, for jitter */
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* Wait on a condition, with the lock held, until deadline_ns (NEVER = without limit). */
static void wait_until(struct otlp_lane *l, pthread_cond_t *cond, uint64_t deadline_ns)
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
	while (!l->stop) {
		uint64_t due = l->oldest_ns + l->config->delay_ms * NS_PER_MS;
		bool full = l->queue.weight >= l->config->batch_max;
		if (l->queue.n == 0)
			wait_until(l, &l->wake, NEVER);
		else if (full || l->flush || now_ns() >= due)
			return;
		else
			wait_until(l, &l->wake, due);
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
	while (!l->stop && now_ns() < deadline_ns)
		wait_until(l, &l->wake, deadline_ns);
	bool go_on = !l->stop;
	pthread_mutex_unlock(&l->lock);
	return go_on;
}

/* Send a request until it is decided. The last reply is in *ret. */
static void deliver(struct otlp_lane *l, const struct bytes *request, struct otlp_reply *ret)
{
	uint64_t limit_ms = l->config->timeout_ms;
	uint64_t end_ns = limit_ms != 0 ? now_ns() + limit_ms * NS_PER_MS : NEVER;
	for (unsigned int attempt = 0;; attempt++) {
		uint64_t now = now_ns();
		uint64_t left_ms = end_ns == NEVER ? 0 : now < end_ns ? (end_ns - now) / NS_PER_MS + 1 : 1;
		l->transport->post(l->link, request, left_ms, ret);
		if (ret->verdict != OTLP_RETRY)
			return;
		uint64_t next_ns = now_ns() + backoff_ms(l, attempt, ret->retry_after_ms) * NS_PER_MS;
		/* a wait that would outlive the batch is not begun: later batches are waiting too */
		if (next_ns >= end_ns || !pause_until(l, next_ns))
			return;
	}
}

static void send_batch(struct otlp_lane *l, const struct otlp_item *items, size_t n, struct otlp_reply *ret)
{
	struct bytes request = {0};
	struct bytes *list = calloc(n > 0 ? n : 1, sizeof *list);
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED, .why = "out of memory"};
	for (size_t i = 0; list != NULL && i < n; i++)
		list[i] = items[i].bytes;
	int rc = list == NULL                            ? -ENOMEM
		 : l->config->protocol == OTLP_HTTP_JSON ? otlp_json_request(l->config->kind, l->resource, list, n, &request)
							 : otlp_encode_request(l->resource, list, n, &request);
	if (rc == 0) {
		if (request.len <= REQUEST_MAX)
			deliver(l, &request, ret);
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

static void *lane_main(void *arg)
{
	struct otlp_lane *l = arg;
	size_t room = l->config->batch_max < 4096 ? (size_t)l->config->batch_max : 4096;
	struct otlp_item *batch = calloc(room, sizeof *batch);
	pthread_mutex_lock(&l->lock);
	for (;;) {
		await_batch(l);
		if (l->stop || batch == NULL)
			break;
		size_t n = otlp_queue_take(&l->queue, l->config->batch_max, BATCH_BYTES, batch, room);
		uint64_t weight = 0;
		for (size_t i = 0; i < n; i++)
			weight += batch[i].weight;
		l->sending = weight;
		l->oldest_ns = now_ns();
		pthread_mutex_unlock(&l->lock);

		struct otlp_reply reply;
		send_batch(l, batch, n, &reply);
		for (size_t i = 0; i < n; i++)
			free(batch[i].bytes.data);

		pthread_mutex_lock(&l->lock);
		settle(l, weight, &reply);
		l->sending = 0;
		l->flush = l->flush && l->queue.n > 0;
		pthread_cond_broadcast(&l->idle);
	}
	pthread_mutex_unlock(&l->lock);
	free(batch);
	return NULL;
}

/* -- everybody else -- */

/* Signals are for the agent's main thread. */
static int start_thread(struct otlp_lane *l)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&l->thread, NULL, lane_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int otlp_lane_new(const struct otlp_signal *s, const struct resource *r, struct otlp_lane **ret)
{
	struct otlp_lane *l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->config = s;
	l->resource = r;
	l->random = (unsigned int)now_ns();
	otlp_queue_init(&l->queue, s->queue_max);
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, &clock);
	pthread_cond_init(&l->idle, &clock);
	pthread_condattr_destroy(&clock);
	l->transport = otlp_transport_of(s->protocol);
	int rc = l->transport->open(s, &l->link);
	rc = rc != 0 ? rc : start_thread(l);
	if (rc != 0) {
		l->transport->close(l->link);
		free(l);
		return rc;
	}
	*ret = l;
	return 0;
}

void otlp_lane_push(struct otlp_lane *l, struct otlp_item *items, size_t n)
{
	uint64_t weight = 0, left_out = 0;
	for (size_t i = 0; i < n; i++)
		weight += items[i].weight;
	pthread_mutex_lock(&l->lock);
	l->counts.produced += weight;
	bool fits = !l->stop && l->queue.weight + weight <= l->queue.weight_max;
	if (l->queue.n == 0)
		l->oldest_ns = now_ns();
	for (size_t i = 0; i < n; i++) {
		if (fits && otlp_queue_push(&l->queue, &items[i]))
			continue;
		left_out += items[i].weight;
		free(items[i].bytes.data);
	}
	l->counts.dropped += left_out;
	if (left_out > 0)
		snprintf(l->error, sizeof l->error, "the queue was full");
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
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
	l->flush = l->queue.n > 0;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_flush_wait(struct otlp_lane *l, uint64_t deadline_ns)
{
	pthread_mutex_lock(&l->lock);
	while ((l->queue.n > 0 || l->sending > 0) && now_ns() < deadline_ns)
		wait_until(l, &l->idle, deadline_ns);
	pthread_mutex_unlock(&l->lock);
}

void otlp_lane_counts(struct otlp_lane *l, struct export_counts *ret)
{
	pthread_mutex_lock(&l->lock);
	*ret = l->counts;
	ret->queued = l->queue.weight + l->sending;
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
	pthread_mutex_unlock(&l->lock);
	l->transport->abort(l->link);
	pthread_join(l->thread, NULL);
	otlp_queue_done(&l->queue);
	l->transport->close(l->link);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	pthread_cond_destroy(&l->idle);
	free(l);
}
