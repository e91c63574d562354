/*
 * Texts that the scanner looked at and found nothing in: a service says the same things again and again ("+OK", a health check, the same answer
 * to the same question), and what was clean a moment ago is clean.
 *
 * Owner: halves of what connections carry, lines of what logs say; on their thread. Only texts without a match are kept, of bounded length and
 * number; a new one takes an old one's place. They are compared byte by byte, and wiped at the end.
 */
#ifndef GAPSCOPE_INGEST_CLEAN_H
#define GAPSCOPE_INGEST_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLEAN_BYTES 768U   /* of a text, at most */
#define CLEAN_PLACES 1024U /* a power of two */

struct clean;
struct clean_text;

/* NULL when memory is out. */
struct clean *clean_new(void);
void clean_free(struct clean *c);
/* Where this text is or would be kept, NULL if it is too long; *ret_known: it is. */
struct clean_text *clean_find(struct clean *c, const uint8_t *bytes, size_t len, bool *ret_known);
/* Keep the text that clean_find was asked for; NULL is none. */
void clean_keep(struct clean_text *place, const uint8_t *bytes, size_t len);

#endif
