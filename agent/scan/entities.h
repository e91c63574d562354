/*
 * Numbers of the entities, from entities.def and services.def, and how strong each is where two overlap. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_ENTITIES_H
#define GAPSCOPE_SCAN_ENTITIES_H

#include "scan/scan.h"

enum entity_id {
#define ENTITY(name, rule, rank, severity, title, doc, remedy) ENTITY_##name,
#define VENDOR_ENTITY(name, rule, title) ENTITY_##name,
#include "scan/entities.def"
#undef ENTITY
#undef VENDOR_ENTITY
#define SERVICE(name, ...) ENTITY_##name,
#include "scan/services.def"
#undef SERVICE
	ENTITY_N
};

/* Where two matches overlap the higher rank stays. */
int entity_rank(enum entity_id id);

#endif
