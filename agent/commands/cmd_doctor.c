/*
 * `gapscope doctor [PROGRAM]`: what works on this host, and whether that program can be watched. Main thread.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/check.h"
#include "attach/elf.h"
#include "attach/maps.h"
#include "commands/commands.h"
#include "commands/host.h"
#include "commands/target.h"
#include "probes/probes.h"

static const char *const marks[] = {[CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_FAILED] = "FAILED"};

struct tls_found {
	bool shared, jvm;
};

static bool note_tls(void *ctx, const struct mapping *m)
{
	struct tls_found *found = ctx;
	const char *name = maps_base(m->path);

	found->shared |= strncmp(name, "libssl", 6) == 0 || strncmp(name, "libgnutls.", 10) == 0;
	found->jvm |= strncmp(name, "libjvm.", 7) == 0;
	return found->shared;
}

/* Has the program itself, and no library of it, this function? */
static bool has_inside(const char *exe, const char *function)
{
	struct elf_image e;
	bool found;

	if (elf_read_file(exe, &e) < 0)
		return false;
	found = elf_function(&e, function) != 0;
	elf_done(&e);
	return found;
}

/* Are requests inside of TLS seen, and if not, why? */
static const char *tls_text(pid_t pid)
{
	struct tls_found found = {0};
	struct target t = {.kind = TARGET_OTHER};
	char exe[64], text[256];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	if (maps_walk(pid, note_tls, &found) < 0)
		return "its mappings cannot be read";
	if (found.shared)
		return "calls OpenSSL or GnuTLS as a shared library: requests inside of TLS are seen";
	if (target_find(exe, &t, text, sizeof(text)) == 0 && t.kind == TARGET_GO)
		return "a Go program: requests inside of Go's own TLS are seen by probes in the kernel (eBPF), with CAP_BPF and "
		       "CAP_PERFMON";
	if (found.jvm)
		return "requests inside of Java's own TLS (JSSE) are not seen: the machine compiles and moves its code while it "
		       "runs, so "
		       "that no place is safe for a probe; its waits and deadlines are seen";
	if (has_inside(exe, "SSL_read"))
		return "requests inside of TLS are not seen: OpenSSL is linked into the program itself, so its calls cannot be "
		       "hooked, and "
		       "where it works in memory (Node), nothing that is safe to read ties a session to its connection; waits and "
		       "deadlines are seen";
	return "no shared OpenSSL or GnuTLS is loaded: if it speaks TLS by a library inside of itself, its waits and deadlines are "
	       "seen, "
	       "and no requests";
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
