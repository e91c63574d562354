/*
 * The table of commands. A new command is its file and a row here. The order is that of help and manual.
 */
#include "commands/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command *const command_table[] = {
	&cmd_run_entry,    &cmd_attach_entry, &cmd_detach_entry, &cmd_replay_entry,     &cmd_report_entry,
	&cmd_gate_entry,   &cmd_serve_entry,  &cmd_top_entry,    &cmd_scan_entry,       &cmd_list_entry,
	&cmd_doctor_entry, &cmd_help_entry,   &cmd_man_entry,    &cmd_completion_entry, NULL,
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = command_table; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

void complain(const char *format, ...)
{
	/* One write, so that the line stays whole between lines of the service. */
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "gapscope: %s\n", line);
}
