/*
 * What `gapscope top` shows: services on top, the chosen one's findings and traffic below. Lines are cut to the width; nothing is kept, and
 * what was given is cleaned of escapes by who read it.
 */
#ifndef GAPSCOPE_COMMANDS_TOP_SCREEN_H
#define GAPSCOPE_COMMANDS_TOP_SCREEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct top_screen {
	const char *where;          /* what is asked: an address or a file */
	const char *trouble;        /* why what is shown is old, or NULL */
	const json_t *services;     /* summaries as /api/v1/services has them */
	const json_t *before;       /* the same at the last look, for rates; or NULL */
	double seconds;             /* since then */
	const json_t *report;       /* of the chosen service; NULL if there is none yet */
	size_t chosen;              /* its place among the services */
	unsigned int columns, rows; /* rows 0: as many as there are */
	bool colour, keys;          /* keys: say which there are */
};

void top_screen_write(const struct top_screen *s, FILE *out);

#endif
