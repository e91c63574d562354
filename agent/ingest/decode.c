/* The decoder: see decode.h. */
#include "ingest/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "wire/shared.h"

#define FIRST_AGENT_EVENT 200U /* from here on only the agent makes events */
#define KNOWN_FLAGS 0x3ffU

static bool is_source_event(uint16_t id)
{
	switch (id) {
#define EVENT(number, name, family, text) case (number):
#include "wire/events.def"
#undef EVENT
		return id < FIRST_AGENT_EVENT;
	default:
		return false;
	}
}

size_t decode_max_bytes(void)
{
	return (size_t)wire_units(WIRE_DATA_MAX, sizeof(struct wire_stack) + WIRE_STACK_BYTES) * WIRE_UNIT;
}

int decode_length(const struct wire_record *r, size_t len)
{
	const size_t bytes = (size_t)r->units * WIRE_UNIT;

	if (bytes < WIRE_UNIT || bytes > len || bytes > decode_max_bytes())
		return -EBADMSG;
	if (!is_source_event(r->event) || (r->flags & ~KNOWN_FLAGS) != 0 || r->data_len > WIRE_DATA_MAX)
		return -EBADMSG;
	return (int)bytes;
}

int decode_record(const uint8_t *bytes, size_t len, struct decoded *ret)
{
	const struct wire_record *r = &ret->record;

	if (len < WIRE_UNIT)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->record, bytes, sizeof(ret->record));

	const int length = decode_length(r, len);
	const size_t stack_at = (size_t)wire_units(r->data_len, 0) * WIRE_UNIT;

	if (length < 0)
		return length;
	if (r->data_len > 0)
		ret->data = bytes + WIRE_UNIT;
	if ((r->flags & WIRE_F_STACK) == 0)
		return stack_at == (size_t)length ? length : -EBADMSG;
	if (stack_at + sizeof(ret->stack) > (size_t)length)
		return -EBADMSG;
	memcpy(&ret->stack, bytes + stack_at, sizeof(ret->stack));
	if (ret->stack.bytes_len > WIRE_STACK_BYTES ||
	    wire_units(r->data_len, (uint32_t)sizeof(ret->stack) + ret->stack.bytes_len) != r->units)
		return -EBADMSG;
	if (ret->stack.bytes_len > 0)
		ret->stack_bytes = bytes + stack_at + sizeof(ret->stack);
	return length;
}
