/* ingest.c, slots.c, pulse.c and watch.c from outside: records written by real threads come out once, in order, and nothing is lost uncounted. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "unit/ingest/producer.h"

#define THREADS 4
#define RECORDS 20000U

struct seen {
	size_t n, ticks, inflight, gone, starts, losses;
	uint64_t lost[WIRE_LOSS_CAUSES];
	uint64_t last_t1;
	uint64_t next[THREADS]; /* a0 expected of each thread, at least */
	uint64_t of_thread[THREADS];
	struct event last;
};

static void see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;

	assert_true(e->t1 >= s->last_t1);
	assert_true(e->t0 <= e->t1);
	s->last_t1 = e->t1;
	switch (e->id) {
	case WIRE_TICK:
		s->ticks++;
		return;
	case WIRE_LOSS:
		assert_true(e->a0 < WIRE_LOSS_CAUSES);
		s->losses++;
		s->lost[e->a0] += e->a1;
		return;
	case WIRE_INFLIGHT:
		s->inflight++;
		break;
	case WIRE_PROCESS_GONE:
		s->gone++;
		break;
	case WIRE_SLEEP:
		assert_true(e->fd >= 0 && e->fd < THREADS);
		assert_true(e->a0 >= s->next[e->fd]);
		s->next[e->fd] = e->a0 + 1;
		s->of_thread[e->fd]++;
		break;
	default:
		break;
	}
	s->n++;
	s->last = *e;
	s->last.data = NULL;
}

struct fixture {
	struct ingest *in;
	struct wire_header *shared;
	struct stacks *stacks;
	struct counters counters;
	struct seen seen;
};

static struct fixture *open_session(uint32_t ring_bytes)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct ingest_options o = {.process_max = 8, .thread_max = 16, .ring_bytes = ring_bytes, .stacks = true};

	assert_non_null(f);
	f->stacks = stacks_new();
	assert_non_null(f->stacks);
	assert_int_equal(ingest_new(&o, f->stacks, &f->counters, &f->in), 0);
	f->shared = ingest_shared(f->in);
	return f;
}

static void close_session(struct fixture *f)
{
	ingest_free(f->in);
	stacks_free(f->stacks);
	free(f);
}

static size_t poll_session(struct fixture *f, bool drain)
{
	unsigned int wait = 0;
	const size_t n = ingest_poll(f->in, drain, see, &f->seen, &wait);

	assert_in_range(wait, 1, 100);
	return n;
}

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
			       wire_thread_at(f->shared, k)->generation == 1;
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

static void loss_is_told_between_its_neighbours(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	uint32_t put = 0, lost = 0;

	(void)state;
	for (uint32_t i = 0; i < WIRE_RING_BYTES_MIN / WIRE_UNIT + 10; i++) {
		struct wire_record r = producer_record(&p, WIRE_LISTEN, 0);

		if (producer_put(&p, &r, NULL, NULL, NULL))
			put++;
		else
			lost++;
	}
	assert_int_equal(put, WIRE_RING_BYTES_MIN / WIRE_UNIT);
	assert_int_equal(lost, 10);
	poll_session(f, false);
	assert_int_equal(f->counters.published, put);

	struct wire_record r = producer_record(&p, WIRE_LISTEN, 5);

	assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->seen.losses, 1);
	assert_int_equal(f->seen.lost[WIRE_LOSS_RING_FULL], lost);
	assert_int_equal(f->seen.last.id, WIRE_LISTEN);
	close_session(f);
}

static void corrupt_ring_is_skipped_and_counted(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct wire_record r = producer_record(&p, WIRE_LISTEN, 0), bad = r, after = r;

	(void)state;
	assert_true(producer_put(&p, &r, NULL, NULL, NULL));
	bad.data_len = 0;
	assert_true(producer_put(&p, &bad, NULL, NULL, NULL));
	((struct wire_record *)p.ring.bytes)[1].units = 999;
	assert_true(producer_put(&p, &bad, NULL, NULL, NULL));
	poll_session(f, false);
	assert_int_equal(f->counters.published, 1);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 2);
	assert_true(producer_put(&p, &after, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->counters.published, 2);
	assert_int_equal(f->counters.lost[WIRE_LOSS_CORRUPT], 2);
	assert_int_equal(f->seen.lost[WIRE_LOSS_CORRUPT], 2);
	close_session(f);
}

static void wild_head_is_skipped(void **state)
{
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	atomic_store(&p.thread->head, UINT64_MAX / 2 + 7);
	poll_session(f, true);
	assert_true(f->counters.lost[WIRE_LOSS_CORRUPT] >= 1);
	assert_int_equal(atomic_load(&p.thread->tail), UINT64_MAX / 2 + 7);
	close_session(f);
}

static void captured_bytes_are_wiped(void **state)
{
	static const char secret[] = "password=hunter2-hunter2-hunter2";
	struct fixture *f = open_session(WIRE_RING_BYTES_MIN);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());

	(void)state;
	/* More than once around, so that a record wraps. */
	for (int i = 0; i < 100; i++) {
		struct wire_record r = producer_record(&p, WIRE_STDIO, 1);

		r.data_len = sizeof(secret);
		r.a0 = sizeof(secret);
		assert_true(producer_put(&p, &r, secret, NULL, NULL));
		poll_session(f, false);
		assert_null(memmem(p.ring.bytes, WIRE_RING_BYTES_MIN, "hunter2", 7));
	}
	close_session(f);
}

static void call_that_never_returns_is_told(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	const uint64_t begun = ingest_now_ns(f->in);

	(void)state;
	p.thread->inflight.fd = 7;
	p.thread->inflight.t0 = producer_ticks(f->shared);
	p.thread->inflight.limit_ns = -1;
	atomic_store_explicit(&p.thread->inflight.event, WIRE_READ, memory_order_release);
	while (f->seen.inflight == 0 && ingest_now_ns(f->in) - begun < 10000000000ULL) {
		const struct timespec ms = {.tv_nsec = 1000000};

		poll_session(f, false);
		nanosleep(&ms, NULL);
	}
	assert_true(f->seen.inflight >= 1);
	assert_int_equal(f->seen.last.a0, WIRE_READ);
	assert_int_equal((int64_t)f->seen.last.a1, -1);
	assert_int_equal(f->seen.last.fd, 7);
	assert_true(f->seen.last.t1 - f->seen.last.t0 >= 1000000000ULL);
	assert_true(f->seen.ticks >= 1);
	close_session(f);
}

static void killed_process_is_drained_and_told(void **state)
{
	struct fixture *f = open_session(0);
	const pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
		struct wire_record r = producer_record(&p, WIRE_LISTEN, 3);

		producer_put(&p, &r, NULL, NULL, NULL);
		_exit(0); /* leaves its slots as they are, like a process that is killed */
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	poll_session(f, true);
	assert_int_equal(f->counters.published, 1);
	assert_int_equal(f->seen.n, 2);
	assert_int_equal(f->seen.last.id, WIRE_PROCESS_GONE);
	assert_int_equal(f->seen.last.pid, child);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_thread_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(ingest_live(f->in), 0);
	close_session(f);
}

static void new_image_of_a_pid_replaces_the_old_one(void **state)
{
	struct fixture *f = open_session(0);
	struct producer old = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	struct wire_record r = producer_record(&old, WIRE_EXEC, -1);

	(void)state;
	assert_int_equal(ingest_live(f->in), 1);
	assert_true(producer_put(&old, &r, NULL, NULL, NULL));

	struct producer new = producer_open(f->shared, 1, 1, own_pid(), own_tid());

	r = producer_record(&new, WIRE_PROCESS_START, -1);
	assert_true(producer_put(&new, &r, NULL, NULL, NULL));
	poll_session(f, true);
	assert_int_equal(f->seen.last.id, WIRE_PROCESS_START);
	poll_session(f, true);
	poll_session(f, true);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_thread_at(f->shared, 0)->state), WIRE_SLOT_FREE);
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 1)->state), WIRE_SLOT_LIVE);
	assert_int_equal(f->seen.gone, 0);
	assert_int_equal(ingest_live(f->in), 1);
	close_session(f);
}

static void losses_without_a_slot_are_told(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 2, 0, own_pid(), own_tid());

	(void)state;
	(void)p;
	atomic_fetch_add(&f->shared->lost[WIRE_LOSS_NO_RING], 5);
	atomic_fetch_add(&wire_process_at(f->shared, 2)->lost[WIRE_LOSS_SHADOWED], 2);
	poll_session(f, true);
	assert_int_equal(f->counters.lost[WIRE_LOSS_NO_RING], 5);
	assert_int_equal(f->seen.lost[WIRE_LOSS_NO_RING], 5);
	assert_int_equal(f->seen.lost[WIRE_LOSS_SHADOWED], 2);
	poll_session(f, true);
	assert_int_equal(f->seen.lost[WIRE_LOSS_NO_RING], 5);
	close_session(f);
}

static void policy_reaches_the_table(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 3, 0, own_pid(), own_tid());

	(void)state;
	(void)p;
	ingest_set_policy(f->in, own_pid(), 17, WIRE_POLICY_SIZES);
	ingest_set_policy(f->in, own_pid(), -1, WIRE_POLICY_SIZES);
	ingest_set_policy(f->in, own_pid(), (int)WIRE_POLICY_FDS, WIRE_POLICY_SIZES);
	ingest_set_policy(f->in, 1, 18, WIRE_POLICY_SIZES);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 17), WIRE_POLICY_SIZES);
	assert_int_equal(atomic_load(wire_policy_at(f->shared, 3) + 18), 0);
	ingest_disable(f->in);
	assert_int_equal(atomic_load(&f->shared->enabled), 0);
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_conserve),
		cmocka_unit_test(threads_conserve_at_saturation),
		cmocka_unit_test(loss_is_told_between_its_neighbours),
		cmocka_unit_test(corrupt_ring_is_skipped_and_counted),
		cmocka_unit_test(wild_head_is_skipped),
		cmocka_unit_test(captured_bytes_are_wiped),
		cmocka_unit_test(call_that_never_returns_is_told),
		cmocka_unit_test(killed_process_is_drained_and_told),
		cmocka_unit_test(new_image_of_a_pid_replaces_the_old_one),
		cmocka_unit_test(losses_without_a_slot_are_told),
		cmocka_unit_test(policy_reaches_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
