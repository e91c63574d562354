/*
 * `gapscope doctor [PROGRAM]`: what works on this host, and whether that program can be watched. Main thread.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/check.h"
#include "commands/commands.h"
#include "commands/host.h"
#include "commands/target.h"
#include "commands/tls_inside.h"
#include "probes/probes.h"

static const char *const marks[] = {[CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_FAILED] = "FAILED"};

/* Are requests inside of TLS seen, and if not, why? */
static const char *tls_text(pid_t pid)
{
	enum tls_way way;
	const char *text;

	return tls_inside(pid, &way, &text) < 0 ? "its mappings cannot be read" : text;
}

static enum check_result look_at_program(const char *program)
{
	struct target t;
	char text[PATH_MAX + 256];

	if (target_find(program, &t, text, sizeof(text)) < 0) {
		printf("%-6s  %-14s %s\n", marks[CHECK_FAILED], "program", text);
		return CHECK_FAILED;
	}
	const char *why = target_why(t.kind);
	const bool probed = why && target_probes(t.kind) && probes_check(text, sizeof(text)) == 0;
	enum check_result result = why && !probed ? CHECK_NOTE : CHECK_OK;

	printf("%-6s  %-14s %s %s%s\n", marks[result], "program", t.binary,
	       !why     ? "can be watched by the shim"
	       : probed ? "can be watched by probes in the kernel (eBPF): "
			: "cannot be watched: ",
	       why ? why : "");
	return result;
}

/* A process that runs already. */
static enum check_result look_at_process(pid_t pid)
{
	struct check_verdict v;
	enum check_result result;

	check_process(pid, &v);
	result = v.watchable ? CHECK_OK : v.other_way ? CHECK_NOTE : CHECK_FAILED;
	printf("%-6s  %-14s %d %s%s%s\n", marks[result], "process", (int)pid,
	       v.watchable ? "can be watched: `attach` puts the shim in" : "cannot be entered by the shim: ", v.why,
	       v.other_way ? "; probes in the kernel (eBPF) can watch it, with CAP_BPF and CAP_PERFMON" : "");
	if (result != CHECK_FAILED)
		printf("%-6s  %-14s %d %s\n", marks[CHECK_OK], "TLS", (int)pid, tls_text(pid));
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
	for (int i = 1; i < argc; i++) {
		char *end;
		const long pid = strtol(argv[i], &end, 10);
		const bool is_pid = argv[i][0] && !*end && pid > 0 && pid <= 4194304;

		failed += (is_pid ? look_at_process((pid_t)pid) : look_at_program(argv[i])) == CHECK_FAILED;
	}
	return failed ? 1 : 0;
}

const struct command cmd_doctor_entry = {
	.name = "doctor",
	.usage = "[PROGRAM | PID]…",
	.doc = "what works on this host, for a program and for a process",
	.text = "Checks what gapscope needs on this host, and says of each PROGRAM and of each process whether it can be watched, "
		"and why "
		"not, and which capability, setting or package would change that. "
		"Exit status: "
		"0 all is there, 1 something is missing.",
	.run = cmd_doctor,
};
