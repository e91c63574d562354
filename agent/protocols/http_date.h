/*
 * HTTP dates (RFC 9110 5.6.7): the preferred form and the two obsolete ones.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP_DATE_H
#define GAPSCOPE_PROTOCOLS_HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>

/* Seconds since the epoch of a date; 0, or -EBADMSG and *ret untouched. The text need not be NUL-terminated. */
int http_date_parse(const char *text, size_t len, int64_t *ret);

#endif
