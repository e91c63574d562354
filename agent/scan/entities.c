/*
 * The table of entities, made from entities.def.
 */
#include "scan/entities.h"

#include <string.h>

#define VENDOR_DOC \
	"A value with the prefix, length and alphabet that this vendor gives its keys; example and masked keys do not count."
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
#undef VENDOR_ENTITY
	[ENTITY_N] = {0},
};

static const int rank_of[ENTITY_N] = {
#define ENTITY(id, suffix, rank_, severity_, title_, doc_, remedy_) [ENTITY_##id] = rank_,
#define VENDOR_ENTITY(id, suffix, title_) [ENTITY_##id] = VENDOR_RANK,
#include "scan/entities.def"
#undef ENTITY
#undef VENDOR_ENTITY
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
