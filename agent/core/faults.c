/*
 * The table of faults (faults.h).
 */
#include "core/faults.h"

#include <string.h>

const struct fault faults[FAULTS] = {
	[FAULT_STALL] = {"stall", WIRE_FAULT_RELAY, "response", "withhold the answers of"},
	[FAULT_REFUSE] = {"refuse", WIRE_FAULT_REFUSE, "", "refuse connections to"},
	[FAULT_503] = {"503", WIRE_FAULT_RELAY, "", "answer 503 in place of"},
	[FAULT_RESET] = {"reset", WIRE_FAULT_RELAY, "", "reset connections, once they have asked, to"},
	[FAULT_CONNECT] = {"connect", WIRE_FAULT_SILENT, "connect", "leave attempts to connect unanswered to"},
	[FAULT_BODY] = {"body", WIRE_FAULT_RELAY, "body", "withhold the answers behind their head of"},
	[FAULT_DRIP] = {"drip", WIRE_FAULT_RELAY, "total", "let one byte a second through of the answers of"},
	[FAULT_RESOLVE] = {"dns", WIRE_FAULT_RESOLVE, "resolve", "delay look-ups of names"},
};

enum fault_kind fault_find(const char *name)
{
	enum fault_kind k = 0;

	while (k < FAULTS && strcmp(faults[k].name, name) != 0)
		k++;
	return k;
}
