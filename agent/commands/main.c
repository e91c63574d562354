/*
 * gapscope: finds the command in the table and runs it. What all commands have in common is here: --help, --version, and that a
 * failure to write standard output is a failure.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/usage.h"

/* Is --help among the words before `--` and before the program that `run` is to start? */
static bool wants_help(const struct command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0)
			return false;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
		const struct flag *f = argv[i][1] == '-' ? flag_find(c->flags, argv[i] + 2, strlen(argv[i] + 2)) : NULL;
		if (f && f->kind != FLAG_SWITCH)
			i++;
	}
	return false;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		usage_all(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("gapscope " GAPSCOPE_VERSION);
		return 0;
	}
	bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
	const struct command *c = command_find(help ? "help" : argv[1]);
	if (!c) {
		complain("unknown command '%s'; `gapscope help` lists them", argv[1]);
		return EXIT_USAGE;
	}
	if (wants_help(c, argc - 1, argv + 1)) {
		usage_command(stdout, c);
		return 0;
	}
	return c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = dispatch(argc, argv);

	if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
		complain("cannot write to standard output: %s", strerror(errno));
		return EXIT_USAGE;
	}
	return status;
}
