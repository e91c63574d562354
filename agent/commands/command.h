/*
 * A command: `gapscope NAME …`. One file cmd_NAME.c, one entry, one row in commands.c. Help, the manual page and `list commands` are
 * generated from these entries and from their flag tables.
 *
 * Runs on the main thread of its own process; commands are the only code of the agent that prints.
 */
#ifndef GAPSCOPE_COMMANDS_COMMAND_H
#define GAPSCOPE_COMMANDS_COMMAND_H

#include "commands/flags.h"

struct command {
	const char *name;
	const char *usage;        /* what follows the name: "[options] -- CMD [ARG]…" */
	const char *doc;          /* one line */
	const char *text;         /* paragraphs, separated by an empty line */
	const struct flag *flags; /* ends with name NULL; may be NULL */
	/* The i-th of the words that its operand may be, NULL past the last; NULL where an operand is something else. */
	const char *(*operand)(size_t i);
	/* argv[0] is the command's name. Returns the exit status. `--help` never gets here. */
	int (*run)(int argc, char **argv);
};

/* Exit status for bad input that is ours to report. */
#define EXIT_USAGE 2

/* All commands, in the order of help and manual; ends with NULL. */
extern const struct command *const command_table[];
/* By name; NULL if unknown. */
const struct command *command_find(const char *name);
/* One line on standard error, "gapscope: …". */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* cmd_scan.c */
int cmd_scan(int argc, char **argv);

#endif
