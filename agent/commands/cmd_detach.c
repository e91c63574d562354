/*
 * `gapscope detach`: end the watching of a process from outside: tell the agent that watches it, or, where that agent was killed, take the
 * shim that it left out of use. Main thread.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/check.h"
#include "attach/inject.h"
#include "attach/resident.h"
#include "commands/commands.h"

#define LEAVE_MS 20000 /* how long the agent may take to leave and to write its report */

/* Is it `gapscope attach`? A `run` would take its service along. */
static bool may_end(pid_t agent)
{
	char path[64], words[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)agent);

	FILE *f = fopen(path, "re");
	const size_t n = f ? fread(words, 1, sizeof(words) - 1, f) : 0;
	const size_t first = strlen(words) + 1;

	if (f)
		fclose(f);
	return first < n && strcmp(words + first, "attach") == 0;
}

/* Ask the agent to end, and wait until it has. */
static int end_agent(pid_t agent, pid_t pid)
{
	const int fd = (int)syscall(SYS_pidfd_open, agent, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	if (fd < 0 || kill(agent, SIGTERM) < 0) {
		complain("cannot end the gapscope (process %d) that watches process %d: %s", (int)agent, (int)pid, strerror(errno));
		if (fd >= 0)
			close(fd);
		return EXIT_USAGE;
	}
	do {
		n = poll(&p, 1, LEAVE_MS);
	} while (n < 0 && errno == EINTR);
	close(fd);
	if (n == 1)
		return 0;
	complain("the gapscope (process %d) that watches process %d did not end", (int)agent, (int)pid);
	return EXIT_USAGE;
}

static int cmd_detach(int argc, char **argv)
{
	struct check_verdict v;
	struct inject_result result;
	char why[256];
	char *end = NULL;
	const long pid = argc == 2 ? strtol(argv[1], &end, 10) : 0;

	if (argc != 2 || *end || pid <= 0 || pid > 4194304) {
		complain("detach: give the number of one process");
		return EXIT_USAGE;
	}

	const pid_t agent = resident_agent((pid_t)pid);

	if (agent && !may_end(agent)) {
		complain("process %ld was started by `gapscope run` (process %d), which ends with it", pid, (int)agent);
		return EXIT_USAGE;
	}
	if (agent)
		return end_agent(agent, (pid_t)pid);
	check_process((pid_t)pid, &v);
	if (!v.watchable) {
		complain("cannot detach from process %ld: %s", pid, v.why);
		return EXIT_USAGE;
	}
	if (inject_detach((pid_t)pid, &result, why, sizeof(why)) < 0) {
		complain("cannot detach from process %ld: %s", pid, why);
		return EXIT_USAGE;
	}
	return 0;
}

const struct command cmd_detach_entry = {
	.name = "detach",
	.usage = "PID",
	.doc = "end the watching of a process",
	.text = "Ends the `gapscope attach` (or `run`) that watches the process, which writes its report then. Where that gapscope "
		"was "
		"killed, it "
		"takes the shim that was left in the process out of use. Exit status 2, with one line, if there is nothing to end.",
	.run = cmd_detach,
};
