/*
 * Three bytes to the rows of a table that they may belong to: the cheap question that is asked at each word of the text. One array
 * access says no; a yes leads to a chain of rows.
 */
#ifndef GAPSCOPE_SCAN_LOOKUP_H
#define GAPSCOPE_SCAN_LOOKUP_H

#include <stdint.h>

#define LOOKUP_SLOTS 4096U
#define LOOKUP_ROWS 1024U

struct lookup {
	uint16_t head[LOOKUP_SLOTS]; /* 1 + row, 0 for none */
	uint16_t next[LOOKUP_ROWS];  /* the same, of the row after */
};

static inline uint32_t lookup_slot(uint8_t a, uint8_t b, uint8_t c)
{
	uint32_t three = (uint32_t)a | (uint32_t)b << 8 | (uint32_t)c << 16;
	return three * UINT32_C(2654435761) >> 20;
}

/* Put a row (below LOOKUP_ROWS, once each) into a slot, before those that are there. */
static inline void lookup_put(struct lookup *l, uint32_t slot, uint16_t row)
{
	l->next[row] = l->head[slot];
	l->head[slot] = (uint16_t)(row + 1);
}

#endif
