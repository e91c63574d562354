/*
 * Names of events, families and loss causes, from the tables in wire/. Pure data; any thread.
 */
#include "core/event.h"

struct event_info {
	const char *name;
	const char *family;
};

static const struct event_info event_infos[] = {
#define EVENT(number, event, group, text) [(number)] = {.name = #event, .family = #group},
#include "wire/events.def"
#undef EVENT
};

static const struct event_info *event_info(uint16_t id)
{
	static const struct event_info unknown = {.name = "?", .family = "?"};

	if (id >= sizeof(event_infos) / sizeof(event_infos[0]) || !event_infos[id].name)
		return &unknown;
	return &event_infos[id];
}

const char *event_name(uint16_t id)
{
	return event_info(id)->name;
}

const char *event_family(uint16_t id)
{
	return event_info(id)->family;
}

/* Lower-case spellings of loss.def's names; the unit test holds both lists together. */
static const char *const loss_names[WIRE_LOSS_CAUSES] = {
	[WIRE_LOSS_RING_FULL] = "ring_full",
	[WIRE_LOSS_NESTED] = "nested",
	[WIRE_LOSS_NO_RING] = "no_ring",
	[WIRE_LOSS_THREAD_EXITING] = "thread_exiting",
	[WIRE_LOSS_NOT_READY] = "not_ready",
	[WIRE_LOSS_TOO_LARGE] = "too_large",
	[WIRE_LOSS_CORRUPT] = "corrupt",
	[WIRE_LOSS_SHADOWED] = "shadowed",
	[WIRE_LOSS_PROBE_FULL] = "probe_full",
	[WIRE_LOSS_PROBE_THREADS] = "probe_threads",
	[WIRE_LOSS_PROBE_PROCESSES] = "probe_processes",
	[WIRE_LOSS_HEAP_FULL] = "heap_full",
	[WIRE_LOSS_HEAP_FREE] = "heap_free",
	[WIRE_LOSS_ASIDE] = "aside",
};

const char *loss_name(unsigned int cause)
{
	return cause < WIRE_LOSS_CAUSES && loss_names[cause] ? loss_names[cause] : "other";
}
