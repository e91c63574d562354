/*
 * Interned text: equal strings are stored once and have one address. Owner: whoever made the table; not thread-safe.
 */
#ifndef GAPSCOPE_CORE_STRINGS_H
#define GAPSCOPE_CORE_STRINGS_H

#include <stddef.h>

struct strings;

struct strings *strings_new(void);
void strings_free(struct strings *s);
/* The table's copy of `text`; NULL for NULL, and where LIMIT_STRINGS_BYTES or memory is used up. */
const char *strings_add(struct strings *s, const char *text);

#endif
