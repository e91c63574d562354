/*
 * Line numbers of CPython's code objects: three ways to write them down (lnotab to 3.9, a table of ranges in 3.10, of locations since 3.11).
 * Pure functions over bytes that are not trusted.
 */
#ifndef GAPSCOPE_INGEST_SCRIPT_LINES_H
#define GAPSCOPE_INGEST_SCRIPT_LINES_H

#include <stddef.h>
#include <stdint.h>

/* The line of instruction `at` (bytes before 3.10, units of two bytes since) of a function that begins in line `first`, as `table` of an
 * interpreter of `version` (major << 8 | minor) says; `first` where it says nothing. */
uint32_t script_line(uint32_t version, uint32_t first, const uint8_t *table, size_t len, uint64_t at);

#endif
