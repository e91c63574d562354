/* CRC-32C, eight bytes a step: see crc32c.h. */
#include "ingest/crc32c.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78U /* reflected */
#define SLICES 8

static uint32_t table[SLICES][256]; /* [k][b]: what byte b does to the sum k bytes later */
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ ((c & 1U) != 0 ? POLYNOMIAL : 0U);
		table[0][b] = c;
	}
	for (int k = 1; k < SLICES; k++)
		for (uint32_t b = 0; b < 256; b++)
			table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 0xffU];
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t c = ~crc;

	pthread_once(&made, make);
	for (; len >= SLICES; len -= SLICES, at += SLICES) {
		const uint32_t low = c ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);

		c = table[7][low & 0xffU] ^ table[6][(low >> 8) & 0xffU] ^ table[5][(low >> 16) & 0xffU] ^ table[4][low >> 24] ^
		    table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^ table[0][at[7]];
	}
	for (; len > 0; len--, at++)
		c = (c >> 8) ^ table[0][(c ^ *at) & 0xffU];
	return ~c;
}
