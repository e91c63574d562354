/* decode.c: what is well formed is taken, and each length that lies is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/decode.h"
#include "wire/shared.h"

static uint8_t buffer[65536];

/* A record with `data_len` bytes, and a stack of `stack_len` bytes if that is not negative. Returns its length. */
static size_t build(uint16_t event, uint32_t data_len, int stack_len)
{
	const uint32_t stack = stack_len >= 0 ? (uint32_t)sizeof(struct wire_stack) + (uint32_t)stack_len : 0;
	const struct wire_record r = {
		.event = event,
		.units = (uint16_t)wire_units(data_len, stack),
		.data_len = data_len,
		.flags = stack_len >= 0 ? WIRE_F_STACK : 0,
	};
	const size_t stack_at = (size_t)wire_units(data_len, 0) * WIRE_UNIT;

	memset(buffer, 0, sizeof(buffer));
	memcpy(buffer, &r, sizeof(r));
	memset(buffer + WIRE_UNIT, 'd', data_len);
	if (stack_len >= 0) {
		const struct wire_stack s = {.bytes_len = (uint32_t)stack_len, .regs = {[7] = 0x7000}};

		memcpy(buffer + stack_at, &s, sizeof(s));
		memset(buffer + stack_at + sizeof(s), 's', (size_t)stack_len);
	}
	return (size_t)r.units * WIRE_UNIT;
}

static struct wire_record *record(void)
{
	return (struct wire_record *)(void *)buffer;
}

static void whole_records_are_taken(void **state)
{
	static const struct {
		uint32_t data;
		int stack;
	} cases[] = {
		{0, -1}, {1, -1}, {64, -1}, {65, -1}, {WIRE_DATA_MAX, -1}, {0, 0}, {3, 100}, {WIRE_DATA_MAX, WIRE_STACK_BYTES}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = build(WIRE_READ, cases[i].data, cases[i].stack);
		struct decoded d;

		assert_true(len <= decode_max_bytes());
		assert_int_equal(decode_record(buffer, len, &d), len);
		assert_int_equal(d.record.data_len, cases[i].data);
		if (cases[i].data > 0) {
			assert_ptr_equal(d.data, buffer + WIRE_UNIT);
			assert_int_equal(d.data[cases[i].data - 1], 'd');
		} else {
			assert_null(d.data);
		}
		if (cases[i].stack > 0) {
			assert_int_equal(d.stack.regs[7], 0x7000);
			assert_int_equal(d.stack_bytes[0], 's');
			assert_int_equal(d.stack_bytes[cases[i].stack - 1], 's');
		} else {
			assert_null(d.stack_bytes);
		}
		/* More bytes behind it are the next record's. */
		assert_int_equal(decode_record(buffer, sizeof(buffer), &d), len);
		if (len > WIRE_UNIT)
			assert_int_equal(decode_record(buffer, len - WIRE_UNIT, &d), -EBADMSG);
		assert_int_equal(decode_record(buffer, 63, &d), -EBADMSG);
	}
}

static void refuse(void)
{
	struct decoded d;

	assert_int_equal(decode_record(buffer, sizeof(buffer), &d), -EBADMSG);
}

static void lying_lengths_are_refused(void **state)
{
	(void)state;
	build(WIRE_READ, 100, -1);
	record()->units = 0;
	refuse();
	build(WIRE_READ, 100, -1);
	record()->units = 4;
	refuse();
	build(WIRE_READ, 100, -1);
	record()->units = UINT16_MAX;
	refuse();
	build(WIRE_READ, 100, -1);
	record()->data_len = UINT32_MAX;
	refuse();
	build(WIRE_READ, 100, -1);
	record()->data_len = 129;
	refuse();
	build(WIRE_READ, 100, -1);
	record()->flags = WIRE_F_STACK; /* without one */
	refuse();
	build(WIRE_READ, 0, 100);
	((struct wire_stack *)(void *)(buffer + WIRE_UNIT))->bytes_len = WIRE_STACK_BYTES + 1;
	refuse();
	build(WIRE_READ, 0, 100);
	((struct wire_stack *)(void *)(buffer + WIRE_UNIT))->bytes_len = UINT32_MAX - 100;
	refuse();
	build(WIRE_READ, 0, 100);
	((struct wire_stack *)(void *)(buffer + WIRE_UNIT))->script_len = WIRE_SCRIPT_BYTES; /* more than there is */
	refuse();
	build(WIRE_READ, 0, 100);
	((struct wire_stack *)(void *)(buffer + WIRE_UNIT))->script_len = UINT32_MAX - 200;
	refuse();
}

static void a_script_lies_behind_the_stack(void **state)
{
	struct decoded d;
	const size_t len = build(WIRE_READ, 3, 100);

	(void)state;
	((struct wire_stack *)(void *)(buffer + (size_t)2 * WIRE_UNIT))->script_len = 8; /* fits into the last unit */
	assert_int_equal(decode_record(buffer, len, &d), len);
	assert_int_equal(d.stack.bytes_len, 100);
	assert_int_equal(d.stack.script_len, 8);
}

static void unknown_events_are_refused(void **state)
{
	static const uint16_t bad[] = {0, 14, 139, WIRE_TICK, WIRE_MATCH, 9999, UINT16_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		build(bad[i], 0, -1);
		refuse();
	}
	build(WIRE_READ, 0, -1);
	record()->flags = 0x8000;
	refuse();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_records_are_taken),
		cmocka_unit_test(lying_lengths_are_refused),
		cmocka_unit_test(a_script_lies_behind_the_stack),
		cmocka_unit_test(unknown_events_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
