/* pulse.c: ticks, calls that do not return, and losses that no record tells of. */
#include <fcntl.h>
#include <unistd.h>

#include "ingest/session.h"

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

/* When the process exits, its sleepers are told, however short they have slept: they may have watched over a wait. A read is not. */
static void sleepers_are_told_at_exit(void **state)
{
	static const uint16_t calls[] = {WIRE_READ, WIRE_COND_WAIT, WIRE_SLEEP};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct fixture *f = open_session(0);
		struct producer leaver = producer_open(f->shared, 0, 0, own_pid(), own_tid());
		struct producer sleeper = producer_open(f->shared, 0, 1, own_pid(), own_tid() + 1);

		poll_session(f, false); /* both are known */
		sleeper.thread->inflight.t0 = producer_ticks(f->shared);
		sleeper.thread->inflight.limit_ns = 3000000000;
		atomic_store_explicit(&sleeper.thread->inflight.event, calls[i], memory_order_release);

		struct wire_record r = producer_record(&leaver, WIRE_PROCESS_EXIT, -1);

		assert_true(producer_put(&leaver, &r, NULL, NULL, NULL));
		poll_session(f, false);
		atomic_store_explicit(&sleeper.thread->inflight.event, 0, memory_order_release);
		poll_session(f, true);
		assert_int_equal(f->seen.inflight, i == 0 ? 0 : 1);
		if (i > 0)
			assert_int_equal(f->seen.last.a0, calls[i]);
		close_session(f);
	}
}

static void losses_without_a_slot_are_told(void **state)
{
	struct fixture *f = open_session(0);
	struct producer p = producer_open(f->shared, 2, 0, own_pid(), own_tid());

	(void)state;
	(void)p;
	atomic_fetch_add(&f->shared->lost[WIRE_LOSS_NO_RING], 5);
	atomic_fetch_add(&wire_process_at(f->shared, 2)->lost[WIRE_LOSS_SHADOWED], 2);
	atomic_fetch_add(&wire_process_at(f->shared, 2)->lost[WIRE_LOSS_ASIDE], 3);
	poll_session(f, true);
	assert_int_equal(f->counters.lost[WIRE_LOSS_NO_RING], 5);
	assert_int_equal(f->seen.lost[WIRE_LOSS_NO_RING], 5);
	assert_int_equal(f->seen.lost[WIRE_LOSS_SHADOWED], 2);
	assert_int_equal(f->counters.lost[WIRE_LOSS_ASIDE], 3);
	assert_int_equal(f->seen.lost[WIRE_LOSS_ASIDE], 0); /* nothing is missing: no connection is to be found again */
	poll_session(f, true);
	assert_int_equal(f->seen.lost[WIRE_LOSS_NO_RING], 5);
	close_session(f);
}

/* Polls until the process's switch is as wanted. */
static void until_opens_are(struct fixture *f, uint32_t wanted)
{
	const struct wire_process *p = wire_process_at(f->shared, 0);
	const uint64_t begun = ingest_now_ns(f->in);

	while (atomic_load(&p->tell_opens) != wanted) {
		const struct timespec ms = {.tv_nsec = 1000000};

		assert_true(ingest_now_ns(f->in) - begun < 20000000000ULL);
		poll_session(f, false);
		nanosleep(&ms, NULL);
	}
}

static void opens_are_told_where_descriptors_grow(void **state)
{
	struct fixture *f = open_session_of((struct ingest_options){.samples = true});
	const struct producer p = producer_open(f->shared, 0, 0, own_pid(), own_tid());
	uint64_t so_far = f->seen.n;
	int fds[16];

	(void)state;
	(void)p;
	while (f->seen.n == so_far || f->seen.last.id != WIRE_SAMPLE_PROCESS) { /* the first sample says how many are usual */
		const struct timespec ms = {.tv_nsec = 1000000};

		poll_session(f, false);
		nanosleep(&ms, NULL);
	}
	assert_int_equal(atomic_load(&wire_process_at(f->shared, 0)->tell_opens), 0);
	for (int i = 0; i < 16; i++) {
		fds[i] = open("/dev/null", O_RDONLY);
		assert_true(fds[i] >= 0);
	}
	until_opens_are(f, 1);
	for (int i = 0; i < 16; i++)
		close(fds[i]);
	close_session(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_are_told_where_descriptors_grow),
		cmocka_unit_test(call_that_never_returns_is_told),
		cmocka_unit_test(sleepers_are_told_at_exit),
		cmocka_unit_test(losses_without_a_slot_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
