/*
 * The table of entities, made from entities.def and services.def.
 */
#include "scan/entities.h"

#include <string.h>

#define VENDOR_DOC \
	"A value with the prefix, length and alphabet that this vendor gives its keys; example and masked keys do not count."
#define SERVICE_DOC \
	"A value of the length and alphabet that this service gives its keys, after a key that names the service and a secret."
#define VENDOR_REMEDY "Revoke it at the vendor, issue a new one, and drop the field at the logger."
#define VENDOR_RANK 6
#define VENDOR_SEVERITY 3

const struct entity entity_table[] = {
#define ENTITY(id, suffix, rank_, severity_, title_, doc_, remedy_) \
	[ENTITY_##id] = { \
		.name = #id, .rule = "data.log." suffix, .severity = severity_, .title = title_, .doc = doc_, .remedy = remedy_},
#define VENDOR_ENTITY(id, suffix, title_) \
	[ENTITY_##id] = {.name = #id, \
			 .rule = "data.log." suffix, \
			 .severity = VENDOR_SEVERITY, \
			 .title = title_, \
			 .doc = VENDOR_DOC, \
			 .remedy = VENDOR_REMEDY},
#include "scan/entities.def"
#undef ENTITY
#define SERVICE(id, suffix, title_, ...) \
	[ENTITY_##id] = {.name = #id, \
			 .rule = "data.log." suffix, \
			 .severity = VENDOR_SEVERITY, \
			 .title = title_, \
			 .doc = SERVICE_DOC, \
			 .remedy = VENDOR_REMEDY},
#include "scan/services.def"
#undef SERVICE
#undef VENDOR_ENTITY
	[ENTITY_N] = {0},
};

static const int rank_of[ENTITY_N] = {
#define ENTITY(id, suffix, rank_, severity_, title_, doc_, remedy_) [ENTITY_##id] = rank_,
#define VENDOR_ENTITY(id, suffix, title_) [ENTITY_##id] = VENDOR_RANK,
#include "scan/entities.def"
#undef ENTITY
#undef VENDOR_ENTITY
#define SERVICE(id, ...) [ENTITY_##id] = VENDOR_RANK,
#include "scan/services.def"
#undef SERVICE
};

const struct entity *entity_find(const char *name)
{
	for (const struct entity *e = entity_table; e->name != NULL; e++) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

int entity_rank(enum entity_id id)
{
	return rank_of[id];
}
