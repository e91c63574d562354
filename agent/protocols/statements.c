/*
 * A table by number, in order of putting. See statements.h.
 */
#include "protocols/statements.h"

#include <stdlib.h>

static void drop(struct statements *s, struct statement *x)
{
	HASH_DEL(s->by_id, x);
	free(x);
}

struct statement *statements_get(const struct statements *s, uint64_t id)
{
	struct statement *x = NULL;

	HASH_FIND(hh, s->by_id, &id, sizeof(id), x);
	return x;
}

struct statement *statements_put(struct statements *s, uint64_t id)
{
	statements_drop(s, id);
	if (HASH_COUNT(s->by_id) >= LIMIT_PREPARED)
		drop(s, s->by_id);
	struct statement *x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->id = id;
	HASH_ADD(hh, s->by_id, id, sizeof(x->id), x);
	if (x->hh.tbl)
		return x;
	free(x);
	return NULL;
}

void statements_drop(struct statements *s, uint64_t id)
{
	struct statement *x = statements_get(s, id);

	if (x)
		drop(s, x);
}

void statements_done(struct statements *s)
{
	while (s->by_id)
		drop(s, s->by_id);
}
