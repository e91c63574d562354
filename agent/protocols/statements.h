/*
 * Prepared statements of one connection, by number: what executing one means. At LIMIT_PREPARED the oldest makes room. Owned by the
 * protocol's state; the session's thread only.
 */
#ifndef GAPSCOPE_PROTOCOLS_STATEMENTS_H
#define GAPSCOPE_PROTOCOLS_STATEMENTS_H

#include "core/hash.h"
#include "protocols/sql.h"

struct statement {
	uint64_t id;
	struct sql sql;
	UT_hash_handle hh;
};

struct statements {
	struct statement *by_id;
};

/* Remember a statement under a number, in place of what had it. NULL when memory is out. */
struct statement *statements_put(struct statements *s, uint64_t id);
/* NULL if it was not seen. */
struct statement *statements_get(const struct statements *s, uint64_t id);
void statements_drop(struct statements *s, uint64_t id);
void statements_done(struct statements *s);

#endif
