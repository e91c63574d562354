/*
 * `gapscope help [COMMAND]`: from the tables, to standard output. Main thread.
 */
#include "commands/commands.h"
#include "commands/usage.h"

static int cmd_help(int argc, char **argv)
{
	if (argc < 2) {
		usage_all(stdout);
		return 0;
	}
	const struct command *c = command_find(argv[1]);
	if (!c) {
		complain("help: unknown command '%s'; `gapscope help` lists them", argv[1]);
		return EXIT_USAGE;
	}
	usage_command(stdout, c);
	return 0;
}

static const char *command_name(size_t i)
{
	return command_table[i] ? command_table[i]->name : NULL;
}

const struct command cmd_help_entry = {
	.name = "help",
	.usage = "[COMMAND]",
	.doc = "explain a command",
	.text = "Lists all commands, or explains one: the same as `gapscope COMMAND --help`.",
	.operand = command_name,
	.run = cmd_help,
};
