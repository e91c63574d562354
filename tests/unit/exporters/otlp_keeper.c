/* A lane with a durable queue: what is pushed is on file at once, outages are outlasted, the next lane goes on. */
#include "test.h"

#include "core/monotonic.h"
#include "exporters/folder.h"
#include "exporters/otlp_lane_private.h"
#include "exporters/receiver.h"

#define MS 1000000ULL

static const struct resource about;
static char err[256];

static struct otlp_lane *start(struct otlp_signal *s, const char *url)
{
	struct otlp_store *store;
	struct otlp_lane *l;
	*s = (struct otlp_signal){.url = (char *)url, .queue_max = 100, .batch_max = 10, .timeout_ms = 2000};
	assert_int_equal(otlp_store_open(dir, "q", 1 << 20, &store, err, sizeof err), 0);
	assert_int_equal(otlp_lane_new(s, &about, store, &l), 0);
	return l;
}

static void push(struct otlp_lane *l, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct otlp_item item = {.bytes = {.data = calloc(1, 4), .len = 4}, .weight = 1};
		otlp_lane_push(l, &item, 1);
	}
}

static struct export_counts counts(struct otlp_lane *l)
{
	struct export_counts c;
	otlp_lane_counts(l, &c);
	assert_int_equal(c.produced, c.acknowledged + c.rejected + c.dropped + c.queued);
	return c;
}

static void flush(struct otlp_lane *l)
{
	otlp_lane_flush_start(l);
	otlp_lane_flush_wait(l, monotonic_ns() + 20000 * MS);
}

static void it_delivers(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	struct otlp_signal s;
	struct otlp_lane *l = start(&s, receiver_url(r));
	push(l, 25);
	flush(l);
	struct export_counts c = counts(l);
	assert_int_equal(c.acknowledged, 25);
	assert_int_equal(c.queued, 0);
	otlp_lane_free(l);
	receiver_free(r);
}

static void an_outage_drops_nothing(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	char url[64];
	strcpy(url, receiver_url(r));
	receiver_free(r); /* nobody listens */
	struct otlp_signal s;
	struct otlp_lane *l = start(&s, url);
	push(l, 15);
	flush(l); /* ends when it is on file and the receiver did not answer */
	struct export_counts c = counts(l);
	assert_int_equal(c.queued, 15);
	assert_int_equal(c.kept, 15);
	assert_int_equal(c.dropped, 0);
	otlp_lane_error(l, err, sizeof err);
	assert_true(err[0] != '\0');
	otlp_lane_free(l);
	/* the next agent has a receiver */
	r = receiver_new(NULL, 0);
	l = start(&s, receiver_url(r));
	c = counts(l);
	assert_int_equal(c.inherited, 15);
	flush(l);
	c = counts(l);
	assert_int_equal(c.acknowledged, 15);
	otlp_lane_free(l);
	receiver_free(r);
}

static void it_retries_for_as_long_as_it_takes(void **state)
{
	(void)state;
	static const struct answer script[] = {{.status = 503}, {.how = ANSWER_RESET}, {.status = 429}};
	struct receiver *r = receiver_new(script, 3);
	struct otlp_signal s;
	struct otlp_lane *l = start(&s, receiver_url(r));
	s.timeout_ms = 300; /* an attempt's, and shorter than the pauses */
	push(l, 3);
	assert_int_equal(receiver_wait(r, 4), 4);
	while (counts(l).acknowledged < 3)
		flush(l);
	otlp_lane_free(l);
	receiver_free(r);
}

static void refused_is_dropped(void **state)
{
	(void)state;
	static const struct answer script[] = {{.status = 400}};
	struct receiver *r = receiver_new(script, 1);
	struct otlp_signal s;
	struct otlp_lane *l = start(&s, receiver_url(r));
	push(l, 3);
	flush(l);
	assert_int_equal(counts(l).dropped, 3);
	push(l, 2);
	flush(l);
	assert_int_equal(counts(l).acknowledged, 2);
	otlp_lane_free(l);
	receiver_free(r);
}

/* A store that cannot be written: the lane's thread sends from memory. */
static void a_store_that_fails(void **state)
{
	(void)state;
	struct receiver *r = receiver_new(NULL, 0);
	struct otlp_signal s;
	struct otlp_lane *l = start(&s, receiver_url(r));
	struct otlp_item item = {.bytes = {.data = calloc(1, 4), .len = 4}, .weight = UINT32_MAX};
	item.weight += 1; /* more than a row may say */
	s.queue_max = item.weight;
	pthread_mutex_lock(&l->lock);
	l->queue.weight_max = item.weight;
	pthread_mutex_unlock(&l->lock);
	otlp_lane_push(l, &item, 1);
	assert_int_equal(receiver_wait(r, 1), 1);
	flush(l);
	assert_int_equal(counts(l).acknowledged, item.weight);
	otlp_lane_error(l, err, sizeof err);
	assert_non_null(strstr(err, "cannot be written"));
	otlp_lane_free(l);
	receiver_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
TEST_MAIN(TEST(it_delivers), TEST(an_outage_drops_nothing), TEST(it_retries_for_as_long_as_it_takes), TEST(refused_is_dropped),
	  TEST(a_store_that_fails))
