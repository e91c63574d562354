/* The decoder: see decode.h. */
#include "ingest/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "wire/shared.h"

#define FIRST_AGENT_EVENT 200U /* from here on only the agent makes events */
#define KNOWN_FLAGS 0x7ffU

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
	return (size_t)wire_units(WIRE_DATA_MAX, sizeof(struct wire_stack) + WIRE_STACK_BYTES + WIRE_SCRIPT_BYTES) * WIRE_UNIT;
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

int decode_rest(const uint8_t *rest, int length, struct decoded *ret)
{
	const struct wire_record *r = &ret->record;
	const size_t bytes = (size_t)length - WIRE_UNIT, stack_at = (size_t)wire_units(r->data_len, 0) * WIRE_UNIT - WIRE_UNIT;

	ret->data = r->data_len > 0 ? rest : NULL;
	ret->stack_bytes = NULL;
	if ((r->flags & WIRE_F_STACK) == 0)
		return stack_at == bytes ? length : -EBADMSG;
	if (stack_at + sizeof(ret->stack) > bytes)
		return -EBADMSG;
	memcpy(&ret->stack, rest + stack_at, sizeof(ret->stack));
	if (ret->stack.bytes_len > WIRE_STACK_BYTES || ret->stack.script_len > WIRE_SCRIPT_BYTES ||
	    wire_units(r->data_len, (uint32_t)sizeof(ret->stack) + ret->stack.bytes_len + ret->stack.script_len) != r->units)
		return -EBADMSG;
	if (ret->stack.bytes_len > 0)
		ret->stack_bytes = rest + stack_at + sizeof(ret->stack);
	return length;
}

int decode_record(const uint8_t *bytes, size_t len, struct decoded *ret)
{
	int length;

	if (len < WIRE_UNIT)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->record, bytes, sizeof(ret->record));
	length = decode_length(&ret->record, len);
	return length < 0 ? length : decode_rest(bytes + WIRE_UNIT, length, ret);
}
