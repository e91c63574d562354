/*
 * `gapscope man`: the manual page as roff to standard output; the install step writes it to gapscope.1. Main thread.
 */
#include "commands/commands.h"
#include "commands/usage.h"

static int cmd_man(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		complain("man: takes no argument; read it with `gapscope man | man -l -`");
		return EXIT_USAGE;
	}
	usage_manual(stdout);
	return 0;
}

const struct command cmd_man_entry = {
	.name = "man",
	.usage = "",
	.doc = "print the manual page",
	.text = "Prints the manual page as roff: `gapscope man | man -l -` reads it.",
	.run = cmd_man,
};
