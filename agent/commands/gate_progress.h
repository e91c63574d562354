/*
 * How far a gate's stage is, as one line on a terminal: what was seen, and what is still missing for a verdict.
 */
#ifndef GAPSCOPE_COMMANDS_GATE_PROGRESS_H
#define GAPSCOPE_COMMANDS_GATE_PROGRESS_H

#include <stdio.h>

#include "gate/verdict.h"

/* The line over the one before it, no wider than the terminal; of_s 0 where no end is set. Nothing when `out` is no terminal. */
void gate_progress(FILE *out, const struct gate_input *in, unsigned int s, unsigned int of_s);
/* The same as text, cut to `columns`; for tests, and for gate_progress. */
void gate_progress_text(const struct gate_input *in, unsigned int s, unsigned int of_s, size_t columns, char *buf, size_t size);
/* Take the line away. */
void gate_progress_end(FILE *out);

#endif
