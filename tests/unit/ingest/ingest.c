/* ingest.c from outside: records written by real threads come out once, in order, and nothing is lost uncounted. */
#include <pthread.h>

#include "ingest/internal.h"
#include "ingest/session.h"

#define RECORDS 20000U

static struct wire_header *load_shared;

static void *load(void *arg)
{
	const uint32_t k = (uint32_t)(uintptr_t)arg;
	struct producer p = producer_open(load_shared, 0, k, own_pid(), own_tid());
	uint8_t data[200];

	memset(data, (int)k, sizeof(data));
	for (uint32_t i = 0; i < RECORDS; i++) {
		struct wire_record r = producer_record(&p, WIRE_SLEEP, (int32_t)k);

		r.a0 = i;
		r.data_len = i % sizeof(data);
		producer_put(&p, &r, data, NULL, NULL);
	}
	producer_close(&p);
	return NULL;
}

static void published_and_lost_add_up(uint32_t ring_bytes, bool expect_loss)
{
	struct fixture *f = open_session(ring_bytes);
	pthread_t threads[THREADS];
	uint64_t got = 0;
	bool done = false;

	load_shared = f->shared;
	/* The process slot is taken once, before the threads race for it. */
	wire_process_at(f->shared, 0)->pid = own_pid();
	wire_process_at(f->shared, 0)->generation = 1;
	atomic_store(&wire_process_at(f->shared, 0)->state, WIRE_SLOT_LIVE);
	for (uintptr_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, load, (void *)k), 0);
	while (!done) {
		poll_session(f, false);
		done = true;
		for (uint32_t k = 0; k < THREADS; k++)
			done = done && atomic_load(&wire_thread_at(f->shared, k)->state) == WIRE_SLOT_FREE &&
			       __atomic_load_n(&wire_thread_at(f->shared, k)->generation, __ATOMIC_RELAXED) == 1;
	}
	for (int k = 0; k < THREADS; k++)
		pthread_join(threads[k], NULL);
	poll_session(f, true);
	for (int k = 0; k < THREADS; k++)
		got += f->seen.of_thread[k];
	assert_int_equal(got, f->counters.published);
	assert_int_equal(f->counters.published + f->counters.lost[WIRE_LOSS_RING_FULL], (uint64_t)THREADS * RECORDS);
	assert_int_equal(f->seen.lost[WIRE_LOSS_RING_FULL], f->counters.lost[WIRE_LOSS_RING_FULL]);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 0);
	if (expect_loss)
		assert_true(f->seen.losses > 0);
	close_session(f);
}

static void threads_conserve(void **state)
{
	(void)state;
	published_and_lost_add_up(1U << 20, false);
}

static void threads_conserve_at_saturation(void **state)
{
	(void)state;
	published_and_lost_add_up(WIRE_RING_BYTES_MIN, true);
}

static void policy_reaches_the_table(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 3, 0, own_pid(), own_tid());
	const uint64_t now = ingest_now_ns(f->in);

	(void)state;
	(void)p;
	ingest_set_policy(f->in, own_pid(), 17, WIRE_POLICY_SIZES, now);
	ingest_set_policy(f->in, own_pid(), -1, WIRE_POLICY_SIZES, now);
	ingest_set_policy(f->in, own_pid(), (int)WIRE_POLICY_FDS, WIRE_POLICY_SIZES, now);
	ingest_set_policy(f->in, 1, 18, WIRE_POLICY_SIZES, now);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 17), WIRE_POLICY_SIZES);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 18), 0);
	ingest_disable(f->in);
	assert_int_equal(atomic_load(&f->shared->enabled), 0);
	close_session(f);
}

/* A connection ended, and the next one has its number before the agent has its say on the first. */
static void policy_is_for_the_descriptor_that_was_seen(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 3, 0, own_pid(), own_tid());
	const uint64_t ticks = clock_ticks(&f->in->clock), then = clock_ns(&f->in->clock, ticks);

	(void)state;
	(void)p;
	atomic_store(wire_renewed_at(f->shared, 3, 17), ticks);
	ingest_set_policy(f->in, own_pid(), 17, WIRE_POLICY_SIZES, then - 1000);
	ingest_set_policy(f->in, own_pid(), 18, WIRE_POLICY_SIZES, then - 1000);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 17), WIRE_POLICY_UNKNOWN);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 18), WIRE_POLICY_SIZES);
	ingest_set_policy(f->in, own_pid(), 17, WIRE_POLICY_SIZES, then + 1000);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 17), WIRE_POLICY_SIZES);
	close_session(f);
}

struct slow_reader {
	struct fixture *f;
	struct producer producer;
	uint64_t said_ns;
	unsigned int calls;
};

/* Hands on for five seconds, as far as the poll knows, while the program goes on. */
static void read_slowly(void *ctx, const struct event *e)
{
	struct slow_reader *r = ctx;

	see(&r->f->seen, e);
	if (e->id != WIRE_SLEEP || r->calls++ > 0)
		return;
	r->f->in->now_ns -= 5000000000ULL;
	r->said_ns = ingest_now_ns(r->f->in);
	struct wire_record next = producer_record(&r->producer, WIRE_SLEEP, 0);
	next.a0 = 1;
	assert_true(producer_put(&r->producer, &next, NULL, NULL, NULL));
}

static void what_is_read_while_handing_on_keeps_its_time(void **state)
{
	struct fixture *f = open_session(0);
	struct slow_reader r = {.f = f, .producer = producer_open(f->shared, 0, 0, own_pid(), own_tid())};
	struct wire_record first = producer_record(&r.producer, WIRE_SLEEP, 0);

	(void)state;
	assert_true(producer_put(&r.producer, &first, NULL, NULL, NULL));
	f->in->slow_ticks = 0;
	ingest_poll(f->in, true, read_slowly, &r, NULL);
	ingest_poll(f->in, true, read_slowly, &r, NULL);
	assert_int_equal(r.calls, 2);
	assert_int_equal(f->seen.last.a0, 1);
	assert_true(f->seen.last.t1 >= r.said_ns);
	close_session(f);
}

/* A send under way holds back what came after it; one that goes on for long, or a window with much in it, does not. */
static void a_send_under_way_holds_back(void **state)
{
	struct fixture *f = open_session(0);
	struct producer reader = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct producer sender = producer_open(f->shared, 0, 1, own_pid(), own_tid());
	struct wire_inflight *slot = &wire_thread_at(f->shared, 1)->inflight;
	struct wire_record r;
	uint64_t said_ns; /* when the send began */

	(void)state;
	poll_session(f, false);
	slot->t0 = producer_record(&sender, WIRE_WRITE, 5).t0;
	atomic_store(&slot->event, WIRE_WRITE);
	r = producer_record(&reader, WIRE_SLEEP, 0);
	assert_true(producer_put(&reader, &r, NULL, NULL, NULL));
	said_ns = clock_ns(&f->in->clock, slot->t0);
	do
		poll_session(f, false);
	while (f->in->now_ns < said_ns + 20000000U); /* ten times what the window holds back anyway */
	/* On a machine that stood still meanwhile nothing can be said. */
	if (ingest_now_ns(f->in) < said_ns + 150000000U)
		assert_int_equal(f->seen.of_thread[0], 0);
	while (f->seen.of_thread[0] == 0)
		poll_session(f, false); /* for ever, if it held back for ever */
	r = producer_record(&reader, WIRE_SLEEP, 0);
	r.a0 = 1;
	assert_true(producer_put(&reader, &r, NULL, NULL, NULL));
	atomic_store(&slot->event, 0);
	while (f->seen.of_thread[0] == 1)
		poll_session(f, false);
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_conserve),
		cmocka_unit_test(threads_conserve_at_saturation),
		cmocka_unit_test(policy_reaches_the_table),
		cmocka_unit_test(policy_is_for_the_descriptor_that_was_seen),
		cmocka_unit_test(a_send_under_way_holds_back),
		cmocka_unit_test(what_is_read_while_handing_on_keeps_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
