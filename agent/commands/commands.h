/*
 * The entries of all commands, for the table in commands.c. One line a command.
 */
#ifndef GAPSCOPE_COMMANDS_COMMANDS_H
#define GAPSCOPE_COMMANDS_COMMANDS_H

#include "commands/command.h"

extern const struct command cmd_run_entry;
extern const struct command cmd_attach_entry;
extern const struct command cmd_detach_entry;
extern const struct command cmd_replay_entry;
extern const struct command cmd_scan_entry;
extern const struct command cmd_report_entry;
extern const struct command cmd_gate_entry;
extern const struct command cmd_serve_entry;
extern const struct command cmd_top_entry;
extern const struct command cmd_list_entry;
extern const struct command cmd_doctor_entry;
extern const struct command cmd_help_entry;
extern const struct command cmd_man_entry;
extern const struct command cmd_completion_entry;

#endif
