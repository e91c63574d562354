/*
 * `gapscope doctor [PROGRAM]`: what works on this host, and whether that program can be watched. Main thread.
 */
#include <limits.h>
#include <stdio.h>

#include "commands/commands.h"
#include "commands/host.h"
#include "commands/target.h"

static const char *const marks[] = {[CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_FAILED] = "FAILED"};

static enum check_result look_at_program(const char *program)
{
	struct target t;
	char text[PATH_MAX + 256];

	if (target_find(program, &t, text, sizeof(text)) < 0) {
		printf("%-6s  %-14s %s\n", marks[CHECK_FAILED], "program", text);
		return CHECK_FAILED;
	}
	const char *why = target_why(t.kind);
	enum check_result result = why ? CHECK_NOTE : CHECK_OK;
	printf("%-6s  %-14s %s %s%s\n", marks[result], "program", t.binary,
	       why ? "cannot be watched: " : "can be watched by the shim", why ? why : "");
	return result;
}

static int cmd_doctor(int argc, char **argv)
{
	int failed = 0;

	for (const struct check *c = host_checks; c->name; c++) {
		char text[PATH_MAX * 2 + 256] = "";
		enum check_result result = c->look(text, sizeof(text));
		printf("%-6s  %-14s %s\n", marks[result], c->name, text);
		failed += result == CHECK_FAILED;
	}
	for (int i = 1; i < argc; i++)
		failed += look_at_program(argv[i]) == CHECK_FAILED;
	return failed ? 1 : 0;
}

const struct command cmd_doctor_entry = {
	.name = "doctor",
	.usage = "[PROGRAM]…",
	.doc = "what works on this host, and for a program",
	.text = "Checks what gapscope needs on this host, and says of each PROGRAM whether the shim can watch it, and why not. "
		"Exit status: "
		"0 all is there, 1 something is missing.",
	.run = cmd_doctor,
};
