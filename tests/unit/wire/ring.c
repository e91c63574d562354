/* The ring: whatever the sizes and wherever it wraps, the consumer gets exactly the bytes that were published, and never half a record. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/ring.h"

#define RING WIRE_RING_BYTES_MIN
#define STEPS 50000U           /* around the ring 3,000 times */
#define BETWEEN_THREADS 20000U /* a switch of threads for each handful, which a busy machine takes a millisecond for */
#define DATA_MAX 1000U

struct ends {
	struct wire_thread thread;
	uint8_t bytes[RING];
	struct wire_ring ring;
};

static struct ends *open_ring(uint64_t at)
{
	struct ends *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	atomic_store(&e->thread.head, at);
	atomic_store(&e->thread.tail, at);
	e->ring = (struct wire_ring){.thread = &e->thread, .bytes = e->bytes, .mask = RING - 1, .tail_seen = at};
	return e;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Bytes of record `seq` that both ends can compute. */
static uint32_t make(uint32_t seq, uint8_t *data)
{
	const uint32_t len = seq * 2654435761U % DATA_MAX;

	memset(data, (int)(seq & 0xffU), len);
	return len;
}

static bool put(struct wire_ring *r, uint32_t seq)
{
	uint8_t data[DATA_MAX];
	struct wire_record record = {.event = WIRE_READ, .seq = seq, .data_len = make(seq, data)};
	const uint64_t bytes = (uint64_t)wire_units(record.data_len, 0) * WIRE_UNIT;

	record.units = (uint16_t)wire_units(record.data_len, 0);
	if (!wire_ring_room(r, bytes))
		return false;
	wire_ring_put(r, 0, &record, sizeof(record));
	wire_ring_put(r, WIRE_UNIT, data, record.data_len);
	wire_ring_publish(r, bytes);
	return true;
}

static bool get(struct ends *e, uint32_t seq)
{
	const uint64_t ready = wire_ring_ready(&e->thread);
	uint8_t data[DATA_MAX], want[DATA_MAX];
	struct wire_record record;

	if (ready == 0)
		return false;
	assert_true(ready >= WIRE_UNIT && ready <= RING);
	wire_ring_get(&e->thread, e->bytes, RING - 1, 0, &record, sizeof(record));
	assert_int_equal(record.seq, seq);
	assert_true((uint64_t)record.units * WIRE_UNIT <= ready);
	assert_int_equal(record.data_len, make(seq, want));
	wire_ring_get(&e->thread, e->bytes, RING - 1, WIRE_UNIT, data, record.data_len);
	assert_memory_equal(data, want, record.data_len);
	wire_ring_consume(&e->thread, (uint64_t)record.units * WIRE_UNIT);
	return true;
}

static void what_goes_in_comes_out(uint64_t at)
{
	struct ends *e = open_ring(at);
	uint32_t seed = 1, in = 0, out = 0, full = 0;

	for (uint32_t i = 0; i < STEPS; i++) {
		if (next_random(&seed) % 2 == 0) {
			if (put(&e->ring, in))
				in++;
			else
				full++;
		} else if (get(e, out)) {
			out++;
		}
	}
	while (get(e, out))
		out++;
	assert_int_equal(in, out);
	assert_int_equal(e->thread.published, in);
	/* The walk has been to both ends: often full, and around many times. */
	assert_true(full > 100);
	assert_true(atomic_load(&e->thread.head) - at > 100 * RING);
	free(e);
}

static void any_sizes_survive_wrapping(void **state)
{
	(void)state;
	what_goes_in_comes_out(0);
}

static void indices_may_overflow(void **state)
{
	(void)state;
	what_goes_in_comes_out(UINT64_MAX - RING + 1);
}

static void full_ring_refuses(void **state)
{
	struct ends *e = open_ring(0);

	(void)state;
	assert_true(wire_ring_room(&e->ring, RING));
	assert_false(wire_ring_room(&e->ring, RING + WIRE_UNIT));
	wire_ring_publish(&e->ring, RING - WIRE_UNIT);
	assert_true(wire_ring_room(&e->ring, WIRE_UNIT));
	wire_ring_publish(&e->ring, WIRE_UNIT);
	assert_false(wire_ring_room(&e->ring, WIRE_UNIT));
	wire_ring_consume(&e->thread, WIRE_UNIT);
	assert_true(wire_ring_room(&e->ring, WIRE_UNIT));
	assert_int_equal(wire_ring_ready(&e->thread), RING - WIRE_UNIT);
	free(e);
}

static void *produce(void *arg)
{
	struct ends *e = arg;

	for (uint32_t seq = 0; seq < BETWEEN_THREADS;) {
		if (put(&e->ring, seq))
			seq++;
		else
			sched_yield();
	}
	return NULL;
}

static void two_threads_agree(void **state)
{
	struct ends *e = open_ring(0);
	pthread_t producer;
	uint32_t seq = 0;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, e), 0);
	while (seq < BETWEEN_THREADS) {
		if (get(e, seq))
			seq++;
		else
			sched_yield();
	}
	pthread_join(producer, NULL);
	assert_int_equal(wire_ring_ready(&e->thread), 0);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_sizes_survive_wrapping),
		cmocka_unit_test(indices_may_overflow),
		cmocka_unit_test(full_ring_refuses),
		cmocka_unit_test(two_threads_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
