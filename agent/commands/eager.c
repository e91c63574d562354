/* Who may go first: see eager.h. */
#include "commands/eager.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define AHEAD_BY 10 /* of nice: nine times the weight of the others */
#define NICE_MIN (-20)
#define SLICE_NS 1000000U /* asked for at a time: who wants less is served sooner (Linux 6.12; older ones ignore it) */
#define LOOK_NS 250000000ULL
#define PERCENT_AHEAD 40U /* of one processor: above it no privilege */
#define PERCENT_AGAIN 25U /* below it again */

static uint64_t clock_now(clockid_t clock)
{
	struct timespec t = {0};

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static bool set(int nice)
{
	const struct sched_attr a = {
		.size = sizeof(a),
		.sched_policy = SCHED_NORMAL,
		.sched_flags = SCHED_FLAG_RESET_ON_FORK,
		.sched_nice = nice < NICE_MIN ? NICE_MIN : nice,
		.sched_runtime = SLICE_NS,
	};

	return syscall(SYS_sched_setattr, 0, &a, 0) == 0;
}

static void apply(const struct eager *e)
{
	if (!e->ahead || !set(e->nice - AHEAD_BY))
		(void)set(e->nice);
}

void eager_start(struct eager *e)
{
	*e = (struct eager){
		.nice = getpriority(PRIO_PROCESS, 0),
		.ahead = true,
		.cpu_ns = clock_now(CLOCK_THREAD_CPUTIME_ID),
		.at_ns = clock_now(CLOCK_MONOTONIC),
	};
	apply(e);
}

bool eager_fits(bool ahead, uint64_t cpu_ns, uint64_t wall_ns)
{
	return cpu_ns * 100 < wall_ns * (ahead ? PERCENT_AHEAD : PERCENT_AGAIN);
}

void eager_look(struct eager *e)
{
	const uint64_t now = clock_now(CLOCK_MONOTONIC);

	if (now - e->at_ns < LOOK_NS)
		return;

	const uint64_t cpu = clock_now(CLOCK_THREAD_CPUTIME_ID);
	const bool ahead = eager_fits(e->ahead, cpu - e->cpu_ns, now - e->at_ns);

	e->cpu_ns = cpu;
	e->at_ns = now;
	if (ahead == e->ahead)
		return;
	e->ahead = ahead;
	apply(e);
}
