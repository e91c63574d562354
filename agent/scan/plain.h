/*
 * Text that stands there in another way than it is read: "john%40acme.io", "password\u003dx", colours of a terminal within a line,
 * full-width digits, UTF-16, base64 of a text. It is written out plainly, with the way back to where each character stood. Include only from
 * agent/scan.
 */
#ifndef GAPSCOPE_SCAN_PLAIN_H
#define GAPSCOPE_SCAN_PLAIN_H

#include "scan/text.h"

#define PLAIN_BACK 448U   /* so far before such a character its line is written out: less than LOOKBACK of scan.c */
#define PLAIN_AHEAD 2048U /* and so far behind it */
#define PLAIN_MAX (PLAIN_BACK + PLAIN_AHEAD)

struct plain {
	size_t from, end; /* what of the text was written out */
	bool cut;         /* the line goes on behind `end` */
	size_t n;         /* bytes of it */
	uint8_t bytes[PLAIN_MAX];
	uint16_t start[PLAIN_MAX]; /* where each byte stood, from `from` on */
	uint8_t width[PLAIN_MAX];  /* in how many bytes */
};

/* Is the character at i written in another way, such as values and their keys are? */
bool plain_may_begin(const struct text *t, size_t i);
/* Write out the line around i. plain_wipe() afterwards. */
void plain_line(const struct text *t, size_t i, struct plain *ret);
void plain_wipe(struct plain *p);
/* Base64 of a text that begins at `at`: what it says into `out`. Returns its length and where the base64 ends, 0 if it is none. */
size_t plain_base64(const struct text *t, size_t at, uint8_t *out, size_t size, size_t *ret_end);
/* How such a text's base64 may begin: its first three characters, lowest first; 0 behind the last one. */
uint32_t plain_base64_start(size_t i);

#endif
