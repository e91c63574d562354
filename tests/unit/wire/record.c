/* The record's layout is what both sides compiled against: sizes, offsets and numbers are part of the recording format too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/shared.h"

static void record_is_laid_out_as_drawn(void **state)
{
	static const uint8_t want[WIRE_UNIT] = {
		0x02,     0x01,     0x04,     0x03,      5,         0,         0,         0,         [8] = 6,
		[16] = 7, [24] = 8, [32] = 9, [36] = 10, [38] = 11, [40] = 12, [48] = 13, [56] = 14, [60] = 15,
	};
	const struct wire_record r = {
		.event = 0x0102,
		.units = 0x0304,
		.seq = 5,
		.t0 = 6,
		.t1 = 7,
		.ret = 8,
		.fd = 9,
		.err = 10,
		.flags = 11,
		.a0 = 12,
		.a1 = 13,
		.data_len = 14,
		.site = 15,
	};

	(void)state;
	assert_memory_equal(&r, want, sizeof(want));
}

static void units_count_padding(void **state)
{
	(void)state;
	assert_int_equal(wire_units(0, 0), 1);
	assert_int_equal(wire_units(1, 0), 2);
	assert_int_equal(wire_units(64, 0), 2);
	assert_int_equal(wire_units(65, 0), 3);
	assert_int_equal(wire_units(0, 1), 2);
	assert_int_equal(wire_units(65, 144), 6);
	/* The largest record fits the field that says its length, and the smallest ring. */
	assert_true(wire_units(WIRE_DATA_MAX, sizeof(struct wire_stack) + WIRE_STACK_BYTES) <= UINT16_MAX);
}

static void event_numbers_are_unique(void **state)
{
	static const unsigned int numbers[] = {
#define EVENT(number, name, family, text) number,
#include "wire/events.def"
#undef EVENT
	};
	bool seen[65536] = {false};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_in_range(numbers[i], 1, 65535);
		assert_false(seen[numbers[i]]);
		seen[numbers[i]] = true;
	}
}

static void numbers_that_recordings_hold_stay(void **state)
{
	(void)state;
	assert_int_equal(WIRE_PROCESS_START, 1);
	assert_int_equal(WIRE_MODULE, 9);
	assert_int_equal(WIRE_SOCKET, 20);
	assert_int_equal(WIRE_CONNECT, 22);
	assert_int_equal(WIRE_READ, 50);
	assert_int_equal(WIRE_WRITE, 51);
	assert_int_equal(WIRE_POLL, 70);
	assert_int_equal(WIRE_RESOLVE, 100);
	assert_int_equal(WIRE_STDIO, 120);
	assert_int_equal(WIRE_TICK, 200);
	assert_int_equal(WIRE_MATCH, 205);
	assert_int_equal(WIRE_LOSS_RING_FULL, 0);
	assert_int_equal(WIRE_LOSS_CORRUPT, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_laid_out_as_drawn),
		cmocka_unit_test(units_count_padding),
		cmocka_unit_test(event_numbers_are_unique),
		cmocka_unit_test(numbers_that_recordings_hold_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
