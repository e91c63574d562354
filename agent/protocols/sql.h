/*
 * A SQL statement made fit to be told: every literal replaced, its operation and its tables named (semantic conventions: db.query.text,
 * db.query.summary). Pure functions, no allocation.
 */
#ifndef GAPSCOPE_PROTOCOLS_SQL_H
#define GAPSCOPE_PROTOCOLS_SQL_H

#include "model/model.h"

enum sql_dialect { SQL_STANDARD, SQL_MYSQL /* "…" is a literal, `…` a name, # begins a comment, \ escapes */ };

/* What is told of one statement. */
struct sql {
	char operation[32];   /* "SELECT", "CREATE TABLE"; "" if it is no word */
	char collection[128]; /* the table, if it is the only one */
	char summary[128];    /* operation and tables; of several statements those of the first few */
	char text[LIMIT_QUERY_TEXT];
	char traceparent[64]; /* of a comment as sqlcommenter writes it */
	uint64_t key;         /* of the statement as it was, literals included */
};

/* `len` bytes of a statement, perhaps cut: what is cut may be a literal, so it is treated as one. */
void sql_read(const uint8_t *bytes, size_t len, enum sql_dialect dialect, struct sql *ret);
/* Into a request. */
void sql_tell(const struct sql *q, struct request *r);

#endif
