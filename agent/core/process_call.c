/* See process_call.h. */
#include "core/process_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELDS 9 /* number, arguments, stack pointer, program counter */

/* "running", "-1 SP PC" outside of a call, or all fields. */
static enum process_call_state parse(const char *line, struct process_call *ret)
{
	struct process_call c;

	if (strncmp(line, "running", strlen("running")) == 0)
		return PROCESS_CALL_RUNS;
	if (sscanf(line, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &c.nr,
		   &c.args[0], &c.args[1], &c.args[2], &c.args[3], &c.args[4], &c.args[5], &c.sp, &c.ip) != FIELDS ||
	    c.nr < 0)
		return PROCESS_CALL_NONE;
	*ret = c;
	return PROCESS_CALL_IN;
}

enum process_call_state process_call(pid_t pid, pid_t tid, struct process_call *ret)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);

	FILE *const f = fopen(path, "re");

	if (f == NULL)
		return PROCESS_CALL_NONE;

	const enum process_call_state state = fgets(line, sizeof(line), f) == NULL ? PROCESS_CALL_NONE : parse(line, ret);

	fclose(f);
	return state;
}
