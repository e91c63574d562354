/*
 * `gapscope completion SHELL`: the script that makes a shell complete gapscope's words, to standard output; the install step puts each in
 * its place. Main thread.
 */
#include "commands/commands.h"
#include "commands/completion.h"

static const char *shell_name(size_t i)
{
	return completion_shells[i].name;
}

static int cmd_completion(int argc, char **argv)
{
	const struct completion_shell *s = argc == 2 ? completion_find(argv[1]) : NULL;

	if (!s) {
		complain("completion: give one of bash, zsh and fish");
		return EXIT_USAGE;
	}
	s->write(stdout);
	return 0;
}

const struct command cmd_completion_entry = {
	.name = "completion",
	.usage = "SHELL",
	.doc = "print the completion script for bash, zsh or fish",
	.text = "Prints a script that completes commands, flags, their values and the program behind `--`: "
		"`source <(gapscope completion bash)` for this session. A Debian package has put all three in their places.",
	.operand = shell_name,
	.run = cmd_completion,
};
