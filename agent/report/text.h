/*
 * Text from outside (peers, paths, method names) made fit to be shown: JSON and OTLP want valid UTF-8, a terminal wants no control
 * characters.
 */
#ifndef GAPSCOPE_REPORT_TEXT_H
#define GAPSCOPE_REPORT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Copy `in` (NULL = "") into buf: bytes that are not UTF-8 become '?', and so do control characters. Cut at a whole character. */
const char *text_clean(const char *in, char *buf, size_t size);
/* Is every one of the n bytes a printable character of ASCII? Then text_clean would change nothing. */
bool text_is_plain(const char *s, size_t n);
/* A new JSON string of the cleaned text, of any length. NULL only when memory is out. */
json_t *text_json(const char *in);
/* A new copy of a value with every text and every key in it cleaned: for what was read from a file. */
json_t *text_clean_tree(const json_t *in);

#endif
