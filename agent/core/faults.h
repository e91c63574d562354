/*
 * The faults that proof mode knows, in the order in which they are tried. One row each in faults.c.
 */
#ifndef GAPSCOPE_CORE_FAULTS_H
#define GAPSCOPE_CORE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/fault.h"

enum fault_kind { FAULT_STALL, FAULT_REFUSE, FAULT_503, FAULT_RESET, FAULT_CONNECT, FAULT_BODY, FAULT_DRIP, FAULT_RESOLVE, FAULTS };

struct fault {
	const char *name; /* "stall": of --faults and of the report */
	enum wire_fault_way way;
	const char *phase; /* of the report's deadlines that it proves; "" of those that are answered by trying again */
	const char *doc;   /* what is done: "withhold the answers of" a peer */
};

extern const struct fault faults[FAULTS];

/* By name; FAULTS if there is none. */
enum fault_kind fault_find(const char *name);

#endif
