/* Fuzzes the decoder: any bytes give a record that lies within them, or are refused. */
#include <stdlib.h>
#include <string.h>

#include "ingest/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	/* As a ring's content: record after record. */
	while (at < len) {
		struct decoded d;
		const int n = decode_record(bytes + at, len - at, &d);
		volatile uint8_t sum = 0;

		if (n < 0)
			break;
		if (n < (int)WIRE_UNIT || n % (int)WIRE_UNIT != 0 || (size_t)n > len - at || (size_t)n > decode_max_bytes())
			abort();
		for (uint32_t i = 0; i < d.record.data_len; i++)
			sum = (uint8_t)(sum + d.data[i]);
		for (uint32_t i = 0; d.stack_bytes != NULL && i < d.stack.bytes_len; i++)
			sum = (uint8_t)(sum + d.stack_bytes[i]);
		at += (size_t)n;
	}
	return 0;
}
