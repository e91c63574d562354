/*
 * A flame graph of the report's memory: call stacks from the bottom up, as wide as the bytes that went through them. The caller's thread.
 */
#ifndef GAPSCOPE_REPORT_FLAME_H
#define GAPSCOPE_REPORT_FLAME_H

#include <jansson.h>
#include <stdio.h>

/* As an SVG for a page, with a title; nothing if no site has the value ("live_bytes", "alloc_bytes"). */
void flame_write(const json_t *heap, const char *value, const char *title, FILE *out);
/* "work" or "libx.so+0x10" of a frame of the section. Returns buf. */
const char *flame_name(const json_t *frame, char *buf, size_t size);

#endif
