/* The bounded queue: order, weights, sizes, and what does not fit. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "exporters/otlp_queue.h"

static struct otlp_item item(uint8_t id, size_t len, uint64_t weight)
{
	struct otlp_item i = {.bytes = {.data = malloc(len), .len = len}, .weight = weight};
	memset(i.bytes.data, id, len);
	return i;
}

static bool push(struct otlp_queue *q, uint8_t id, size_t len, uint64_t weight)
{
	struct otlp_item i = item(id, len, weight);
	bool taken = otlp_queue_push(q, &i);
	if (!taken)
		free(i.bytes.data);
	return taken;
}

static void first_in_first_out_across_growth(void **state)
{
	(void)state;
	struct otlp_queue q;
	struct otlp_item out[8];
	otlp_queue_init(&q, 1000);
	uint8_t next_in = 0, next_out = 0;
	for (unsigned int round = 0; round < 60; round++) {
		for (unsigned int i = 0; i < 4; i++)
			assert_true(push(&q, next_in++, 1, 1));
		size_t n = otlp_queue_take(&q, 3, 1000, out, 8);
		assert_int_equal(n, 3);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(out[i].bytes.data[0], next_out++);
			free(out[i].bytes.data);
		}
	}
	assert_int_equal(q.weight, 60);
	otlp_queue_done(&q);
	assert_int_equal(q.weight, 0);
}

static void weights_are_bounded(void **state)
{
	(void)state;
	struct otlp_queue q;
	otlp_queue_init(&q, 10);
	assert_true(push(&q, 1, 1, 6));
	assert_false(push(&q, 2, 1, 5));
	assert_true(push(&q, 3, 1, 4));
	assert_int_equal(q.weight, 10);
	otlp_queue_done(&q);
}

static void a_batch_ends_at_weight_size_or_room(void **state)
{
	(void)state;
	struct otlp_queue q;
	struct otlp_item out[8];
	otlp_queue_init(&q, 100);
	for (uint8_t i = 0; i < 6; i++)
		push(&q, i, 10, 2);
	assert_int_equal(otlp_queue_take(&q, 4, 1000, out, 8), 2);
	free(out[0].bytes.data);
	free(out[1].bytes.data);
	assert_int_equal(otlp_queue_take(&q, 100, 25, out, 8), 2);
	free(out[0].bytes.data);
	free(out[1].bytes.data);
	assert_int_equal(otlp_queue_take(&q, 100, 1000, out, 1), 1);
	free(out[0].bytes.data);
	assert_int_equal(otlp_queue_take(&q, 1, 1, out, 8), 1); /* one at least, however large */
	free(out[0].bytes.data);
	assert_int_equal(otlp_queue_take(&q, 100, 1000, out, 8), 0);
	otlp_queue_done(&q);
}

TEST_MAIN(cmocka_unit_test(first_in_first_out_across_growth), cmocka_unit_test(weights_are_bounded),
	  cmocka_unit_test(a_batch_ends_at_weight_size_or_room))
