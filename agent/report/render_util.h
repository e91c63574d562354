/*
 * What the formats share: reading members without checking each, evidence as one line, escaping of markup.
 */
#ifndef GAPSCOPE_REPORT_RENDER_UTIL_H
#define GAPSCOPE_REPORT_RENDER_UTIL_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* A text member; "" if it is not there or no text. */
const char *json_text(const json_t *o, const char *key);
/* A whole number; 0 if it is not there or none. */
json_int_t json_number(const json_t *o, const char *key);
/* Evidence as one line, "gaps_ms 12, 11; attempts 25". The caller frees it; NULL when memory is out. */
char *render_evidence(const json_t *evidence);
/* Text with the characters that XML and HTML give a meaning to, and quotes, escaped. */
void put_escaped(FILE *out, const char *text);

#endif
