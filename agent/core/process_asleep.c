/* See process_asleep.h. */
#include "core/process_asleep.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "core/monotonic.h"
#include "core/process_stat.h"

#define MS_NS UINT64_C(1000000)
#define PROCESSORS 64U         /* others are looked at each time */
#define KEPT_NS (1000 * MS_NS) /* so long, what was seen of a processor's clock holds */
#define LOOKS 3
#define PATH_SIZE 64U

/* A whole number of milliseconds, a point, and the nanoseconds of the last one. */
static bool stopped_running(pid_t pid, pid_t tid, uint64_t *ret_ns)
{
	char path[PATH_SIZE], line[128];
	uint64_t ms = 0, ns = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/sched", (int)pid, (int)tid);

	FILE *const f = fopen(path, "re");

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "se.exec_start : %" SCNu64 ".%6" SCNu64, &ms, &ns) == 2;
	fclose(f);
	if (!found)
		return false;
	*ret_ns = ms * MS_NS + ns;
	return true;
}

/* The processor that it last ran on; -1: not known. */
static int processor_of(pid_t pid, pid_t tid)
{
	struct process_stat stat;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	return process_stat_read(path, &stat) == 0 && stat.n >= STAT_PROCESSOR ? (int)stat.fields[STAT_PROCESSOR] : -1;
}

/* How far the clock of this thread's processor is behind: what was seen with the least in between; more in between makes it too much, never too
 * little. */
static bool look_here(int64_t *ret_behind)
{
	int64_t least = INT64_MAX;

	sched_yield(); /* the scheduler looks at its clock */
	for (int i = 0; i < LOOKS; i++) {
		uint64_t here;

		if (!stopped_running(getpid(), gettid(), &here))
			return false;

		const int64_t seen = (int64_t)(monotonic_ns() - here);

		least = seen < least ? seen : least;
	}
	*ret_behind = least;
	return true;
}

static bool look_there(int processor, int64_t *ret_behind)
{
	cpu_set_t mine, there;

	if (processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof(mine), &mine) < 0)
		return false;
	CPU_ZERO(&there);
	CPU_SET((size_t)processor, &there);
	if (sched_setaffinity(0, sizeof(there), &there) < 0)
		return false;

	const bool seen = look_here(ret_behind);

	(void)sched_setaffinity(0, sizeof(mine), &mine);
	return seen;
}

static bool behind(int processor, int64_t *ret_behind)
{
	static _Thread_local struct {
		uint64_t seen_ns;
		int64_t behind;
	} known[PROCESSORS];
	const uint64_t now = monotonic_ns();

	if (processor < 0)
		return false;
	if ((unsigned int)processor >= PROCESSORS)
		return look_there(processor, ret_behind);
	if (known[processor].seen_ns == 0 || now - known[processor].seen_ns > KEPT_NS) {
		if (!look_there(processor, &known[processor].behind))
			return false;
		known[processor].seen_ns = now;
	}
	*ret_behind = known[processor].behind;
	return true;
}

bool process_asleep_since(pid_t pid, pid_t tid, uint64_t *ret_ns)
{
	uint64_t stopped;
	int64_t late;

	if (!stopped_running(pid, tid, &stopped) || !behind(processor_of(pid, tid), &late))
		return false;

	const int64_t since = (int64_t)stopped + late;

	if (since <= 0 || (uint64_t)since > monotonic_ns())
		return false;
	*ret_ns = (uint64_t)since;
	return true;
}
