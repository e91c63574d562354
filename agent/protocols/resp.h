/*
 * One direction of a connection that speaks Redis's RESP2 or RESP3: cuts bytes, split anywhere and with gaps, into top-level values, and
 * keeps of each no more than the start of its first words. The session's thread only.
 */
#ifndef GAPSCOPE_PROTOCOLS_RESP_H
#define GAPSCOPE_PROTOCOLS_RESP_H

#include "protocols/talk.h"

#define RESP_WORDS 3U
#define RESP_WORD_MAX 40U
#define RESP_DEPTH 16U

/* A top-level value that is over. */
struct resp_value {
	char type;      /* '+', '-', ':', '$', '*', '>', … or ' ' for an inline command */
	uint64_t count; /* elements of an array */
	unsigned int words;
	char word[RESP_WORDS][RESP_WORD_MAX]; /* its line, or its first elements: printable, cut, NUL-terminated */
	uint64_t hash;                        /* of all of it */
	uint64_t size;                        /* bytes, gaps included */
	struct talk_mark from;
};

struct resp {
	struct talk *t;
	bool client;
	void (*value)(struct resp *r, const struct resp_value *v);
	bool lost;
	struct resp_value now;
	uint64_t left[RESP_DEPTH]; /* elements to come, by depth */
	unsigned int depth;
	uint64_t bulk; /* bytes of the bulk under way still to come, its line end included */
	bool in_value, in_line, in_bulk;
	char line_type;
	unsigned int line_len;
	char line[RESP_WORD_MAX]; /* of the line under way, as much as is needed */
};

void resp_feed(struct resp *r, const uint8_t *bytes, size_t len, size_t gap);
void resp_lose(struct resp *r);

#endif
