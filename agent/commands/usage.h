/*
 * Help and manual, generated from the tables of commands, flags, detectors and exporters.
 */
#ifndef GAPSCOPE_COMMANDS_USAGE_H
#define GAPSCOPE_COMMANDS_USAGE_H

#include <stdio.h>

#include "commands/command.h"

/* All commands, a line each. */
void usage_all(FILE *out);
/* One command: usage, text, flags. */
void usage_command(FILE *out, const struct command *c);
/* The manual page, as roff (man macros). */
void usage_manual(FILE *out);
/* Text broken at words into lines of at most 100 bytes with `indent` blanks before each. */
void usage_wrap(FILE *out, int indent, const char *text);

#endif
