/*
 * Fuzzes the reader of recordings. Checksums would keep all but the first bytes out of reach, so they are mended first: what is inside a
 * block with a right sum must do no harm either.
 */
#include <stdlib.h>
#include <string.h>

#include "ingest/bytes.h"
#include "ingest/crc32c.h"
#include "ingest/recording.h"
#include "wire/recording_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Give each block the number and the sum that it should have. */
static void mend(uint8_t *bytes, size_t len)
{
	size_t at = RECORDING_FILE_HEAD_BYTES;

	for (uint32_t number = 0; len >= at && len - at >= RECORDING_BLOCK_HEAD_BYTES; number++) {
		struct bytes_in in = {.at = bytes + at + 4, .left = 4};
		const size_t payload = (size_t)bytes_get(&in, 4);
		uint32_t sum;

		if (payload > len - at - RECORDING_BLOCK_HEAD_BYTES)
			return;
		bytes_put(bytes + at + 8, number, 4);
		sum = crc32c(0, bytes + at, RECORDING_CRC_AT);
		sum = crc32c(sum, bytes + at + RECORDING_BLOCK_HEAD_BYTES, payload);
		bytes_put(bytes + at + RECORDING_CRC_AT, sum, 4);
		at += RECORDING_BLOCK_HEAD_BYTES + payload;
	}
}

static void look(void *ctx, const struct event *e)
{
	volatile uint8_t sum = 0;

	(void)ctx;
	for (uint32_t i = 0; i < e->data_len; i++)
		sum = (uint8_t)(sum + e->data[i]);
}

static void parse(const uint8_t *bytes, size_t len)
{
	struct stacks *s = stacks_new();
	struct recording_totals totals;
	struct recording_info info;
	char err[200] = "";

	if (s == NULL)
		return;
	if (recording_parse(bytes, len, &info, s, look, NULL, &totals, err, sizeof(err)) < 0 && err[0] == '\0')
		abort(); /* a failure without a word */
	stacks_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		return 0;
	if (len > 0)
		memcpy(copy, bytes, len);
	parse(copy, len);
	if (len >= RECORDING_FILE_HEAD_BYTES) {
		uint8_t *at = bytes_put_raw(copy, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);

		at = bytes_put(at, RECORDING_VERSION, 4);
		bytes_put(at, ~RECORDING_VERSION, 4);
		mend(copy, len);
		parse(copy, len);
	}
	free(copy);
	return 0;
}
