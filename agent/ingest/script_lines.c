/* Line numbers of CPython's code objects: see script_lines.h. */
#include "ingest/script_lines.h"

#define NO_LINE (-128) /* of 3.10's table */

/* How an entry of 3.11's table is written: the upper bits of its first byte. */
enum location { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

static uint32_t sum(uint32_t first, int64_t delta)
{
	const int64_t line = (int64_t)first + delta;

	return line > 0 && line <= INT32_MAX ? (uint32_t)line : first;
}

static uint32_t by_steps(uint32_t first, const uint8_t *table, size_t len, uint64_t at)
{
	uint64_t address = 0;
	int64_t delta = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		address += table[i];
		if (address > at)
			break;
		delta += (int8_t)table[i + 1];
	}
	return sum(first, delta);
}

static uint32_t by_ranges(uint32_t first, const uint8_t *table, size_t len, uint64_t byte)
{
	uint64_t end = 0;
	int64_t delta = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		const int8_t step = (int8_t)table[i + 1];

		end += table[i];
		delta += step != NO_LINE ? step : 0;
		if (byte < end)
			return step != NO_LINE ? sum(first, delta) : first;
	}
	return first;
}

/* Six bits a byte, the lowest first; the lowest bit of all is the sign. */
static int64_t signed_number(const uint8_t *at, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; at < end && shift < 36; at++, shift += 6) {
		value |= (uint64_t)(*at & 63U) << shift;
		if ((*at & 64U) == 0)
			break;
	}
	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static uint32_t by_locations(uint32_t first, const uint8_t *table, size_t len, uint64_t unit)
{
	uint64_t end = 0;
	int64_t delta = 0;
	size_t i = 0;

	while (i < len) {
		const unsigned int kind = table[i] >> 3 & 15U;

		end += (table[i] & 7U) + 1U;
		i++;
		if (kind == NO_COLUMNS || kind == LONG)
			delta += signed_number(table + i, table + len);
		else if (kind >= ONE_LINE && kind < NO_COLUMNS)
			delta += kind - ONE_LINE;
		if (unit < end)
			return kind != NONE ? sum(first, delta) : first;
		/* Only first bytes have the highest bit. */
		while (i < len && table[i] < 128)
			i++;
	}
	return first;
}

uint32_t script_line(uint32_t version, uint32_t first, const uint8_t *table, size_t len, uint64_t at)
{
	if (version < 0x30a)
		return by_steps(first, table, len, at);
	return version == 0x30a ? by_ranges(first, table, len, at * 2) : by_locations(first, table, len, at);
}
