/* A lane: batching, retries by the rules, and an accounting that is exact at every moment. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/otlp_lane.h"
#include "exporters/receiver.h"

#define MS 1000000ULL

static const struct resource about;

struct rig {
	struct receiver *receiver;
	struct otlp_signal signal;
	struct otlp_lane *lane;
};

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void start(struct rig *g, const struct answer *script, size_t n, struct otlp_signal s)
{
	g->receiver = receiver_new(script, n);
	g->signal = s;
	g->signal.url = (char *)receiver_url(g->receiver);
	if (g->signal.queue_max == 0)
		g->signal.queue_max = 100;
	if (g->signal.batch_max == 0)
		g->signal.batch_max = 10;
	if (g->signal.timeout_ms == 0)
		g->signal.timeout_ms = 8000;
	assert_int_equal(otlp_lane_new(&g->signal, &about, NULL, &g->lane), 0);
}

static void stop(struct rig *g)
{
	otlp_lane_free(g->lane);
	receiver_free(g->receiver);
}

static void push(struct rig *g, size_t n, uint64_t weight)
{
	for (size_t i = 0; i < n; i++) {
		struct otlp_item item = {.bytes = {.data = calloc(1, 4), .len = 4}, .weight = weight};
		otlp_lane_push(g->lane, &item, 1);
	}
}

static struct export_counts counts(struct rig *g)
{
	struct export_counts c;
	otlp_lane_counts(g->lane, &c);
	assert_int_equal(c.produced, c.acknowledged + c.rejected + c.dropped + c.queued);
	return c;
}

static void flush(struct rig *g, uint64_t ms)
{
	otlp_lane_flush_start(g->lane);
	otlp_lane_flush_wait(g->lane, now() + ms * MS);
}

static void batches_and_flushes(void **state)
{
	(void)state;
	struct rig g;
	start(&g, NULL, 0, (struct otlp_signal){.delay_ms = 3600000});
	push(&g, 3, 1);
	assert_int_equal(counts(&g).queued, 3); /* neither full nor due */
	push(&g, 7, 1);
	assert_int_equal(receiver_wait(g.receiver, 1), 1); /* full */
	push(&g, 2, 1);
	flush(&g, 5000);
	assert_int_equal(receiver_wait(g.receiver, 2), 2);
	struct export_counts c = counts(&g);
	assert_int_equal(c.acknowledged, 12);
	assert_int_equal(c.queued, 0);
	char why[64];
	otlp_lane_error(g.lane, why, sizeof why);
	assert_string_equal(why, "");
	stop(&g);
}

static void a_delay_sends_what_there_is(void **state)
{
	(void)state;
	struct rig g;
	start(&g, NULL, 0, (struct otlp_signal){.delay_ms = 20});
	push(&g, 1, 5);
	assert_int_equal(receiver_wait(g.receiver, 1), 1);
	flush(&g, 5000);
	assert_int_equal(counts(&g).acknowledged, 5);
	stop(&g);
}

static void it_comes_back_after_a_fault(void **state)
{
	(void)state;
	static const struct answer script[] = {{.how = ANSWER_RESET}, {.status = 503}, {.status = 200}};
	struct rig g;
	start(&g, script, 3, (struct otlp_signal){.delay_ms = 0});
	push(&g, 1, 1);
	assert_int_equal(receiver_wait(g.receiver, 3), 3);
	flush(&g, 5000);
	assert_int_equal(counts(&g).acknowledged, 1);
	/* the same bytes each time, and growing pauses */
	const struct received *a = receiver_got(g.receiver, 0), *b = receiver_got(g.receiver, 1), *c = receiver_got(g.receiver, 2);
	assert_int_equal(a->body_len, c->body_len);
	assert_memory_equal(a->body, c->body, a->body_len);
	assert_true(b->at_ns - a->at_ns >= 250 * MS);
	assert_true(c->at_ns - b->at_ns >= 500 * MS);
	stop(&g);
}

static void retry_after_is_the_floor(void **state)
{
	(void)state;
	static const struct answer script[] = {{.status = 429, .headers = "Retry-After: 1\r\n"}};
	struct rig g;
	start(&g, script, 1, (struct otlp_signal){.delay_ms = 0});
	push(&g, 1, 1);
	assert_int_equal(receiver_wait(g.receiver, 2), 2);
	assert_true(receiver_got(g.receiver, 1)->at_ns - receiver_got(g.receiver, 0)->at_ns >= 1000 * MS);
	flush(&g, 5000);
	assert_int_equal(counts(&g).acknowledged, 1);
	stop(&g);
}

static void a_wait_longer_than_the_batch_is_not_begun(void **state)
{
	(void)state;
	static const struct answer script[] = {{.status = 429, .headers = "Retry-After: 60\r\n"}};
	struct rig g;
	start(&g, script, 1, (struct otlp_signal){.timeout_ms = 5000});
	push(&g, 1, 3);
	flush(&g, 5000);
	assert_int_equal(counts(&g).dropped, 3);
	char why[256];
	otlp_lane_error(g.lane, why, sizeof why);
	assert_string_equal(why, "the receiver answered 429");
	stop(&g);
}

static void refused_is_not_retried(void **state)
{
	(void)state;
	static const struct answer script[] = {{.status = 400}};
	struct rig g;
	start(&g, script, 1, (struct otlp_signal){.delay_ms = 0});
	push(&g, 1, 1);
	flush(&g, 5000);
	assert_int_equal(counts(&g).dropped, 1);
	push(&g, 1, 1);
	flush(&g, 5000);
	assert_int_equal(counts(&g).acknowledged, 1);
	assert_int_equal(receiver_wait(g.receiver, 2), 2); /* one post a batch */
	stop(&g);
}

static void partial_success_is_counted_once(void **state)
{
	(void)state;
	/* 3 rejected of 5; then "100 rejected" of 5, which cannot be */
	static const struct answer script[] = {{.body = "\x0a\x02\x08\x03", .body_len = 4},
					       {.body = "\x0a\x02\x08\x64", .body_len = 4}};
	struct rig g;
	start(&g, script, 2, (struct otlp_signal){.delay_ms = 0});
	push(&g, 1, 5);
	flush(&g, 5000);
	struct export_counts c = counts(&g);
	assert_int_equal(c.rejected, 3);
	assert_int_equal(c.acknowledged, 2);
	push(&g, 1, 5);
	flush(&g, 5000);
	c = counts(&g);
	assert_int_equal(c.rejected, 8);
	assert_int_equal(receiver_wait(g.receiver, 2), 2);
	stop(&g);
}

static void what_does_not_fit_is_dropped_and_counted(void **state)
{
	(void)state;
	static const struct answer script[] = {{.how = ANSWER_NONE}};
	struct rig g;
	start(&g, script, 1, (struct otlp_signal){.queue_max = 20, .batch_max = 10, .delay_ms = 0});
	push(&g, 1, 10);
	assert_int_equal(receiver_wait(g.receiver, 1), 1); /* under way, unanswered */
	push(&g, 25, 1);
	struct export_counts c = counts(&g);
	assert_int_equal(c.produced, 35);
	assert_int_equal(c.queued, 30);
	assert_int_equal(c.dropped, 5);
	/* all or none of what is pushed together */
	struct otlp_item pair[2] = {{.bytes = {.data = calloc(1, 1), .len = 1}, .weight = 1},
				    {.bytes = {.data = calloc(1, 1), .len = 1}, .weight = 1}};
	otlp_lane_push(g.lane, pair, 2);
	otlp_lane_count_dropped(g.lane, 2);
	assert_int_equal(counts(&g).dropped, 9);
	assert_true(otlp_lane_is_full(g.lane, 1));
	assert_int_equal(counts(&g).dropped, 10);
	uint64_t before = now();
	stop(&g); /* at once, though the receiver is silent */
	assert_true(now() - before < 3000 * MS);
}

/* 64 MiB before compression is what a receiver must take: batches stay far below, and what is larger by itself is not sent. */
static void requests_stay_under_their_limit(void **state)
{
	(void)state;
	struct rig g;
	start(&g, NULL, 0, (struct otlp_signal){.queue_max = 100, .batch_max = 100, .delay_ms = 60000});
	struct otlp_item items[9] = {{.weight = 0}};
	for (size_t i = 0; i < 8; i++)
		items[i] = (struct otlp_item){.bytes = {.data = calloc(1, 900U << 10), .len = 900U << 10}, .weight = 1};
	items[8] = (struct otlp_item){.bytes = {.data = calloc(1, 65U << 20), .len = 65U << 20}, .weight = 1};
	otlp_lane_push(g.lane, items, 9);
	flush(&g, 20000);
	struct export_counts c = counts(&g);
	assert_int_equal(c.acknowledged, 8);
	assert_int_equal(c.dropped, 1);
	char why[256];
	otlp_lane_error(g.lane, why, sizeof why);
	assert_non_null(strstr(why, "larger than a request may be"));
	assert_true(receiver_wait(g.receiver, 2) >= 2);
	stop(&g);
}

static void a_flush_ends_at_its_deadline(void **state)
{
	(void)state;
	static const struct answer script[] = {{.how = ANSWER_NONE}};
	struct rig g;
	start(&g, script, 1, (struct otlp_signal){.delay_ms = 0});
	push(&g, 1, 1);
	uint64_t before = now();
	flush(&g, 100);
	uint64_t took = now() - before;
	assert_true(took >= 100 * MS && took < 3000 * MS);
	assert_int_equal(counts(&g).queued, 1);
	stop(&g);
}

TEST_MAIN(cmocka_unit_test(batches_and_flushes), cmocka_unit_test(a_delay_sends_what_there_is),
	  cmocka_unit_test(it_comes_back_after_a_fault), cmocka_unit_test(retry_after_is_the_floor),
	  cmocka_unit_test(a_wait_longer_than_the_batch_is_not_begun), cmocka_unit_test(refused_is_not_retried),
	  cmocka_unit_test(partial_success_is_counted_once), cmocka_unit_test(what_does_not_fit_is_dropped_and_counted),
	  cmocka_unit_test(requests_stay_under_their_limit), cmocka_unit_test(a_flush_ends_at_its_deadline))
