/*
 * Which watched processes live. A process that is killed says nothing, so each is looked up a few times a second: its pid, and its
 * start time in case the pid was given to another. See internal.h.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "core/process_stat.h"
#include "ingest/internal.h"

#define PID_LIMIT (1U << 22)

/* A zombie whose other threads still run is alive: only its first thread has ended. */
static bool alive(uint32_t pid, uint64_t start_time)
{
	struct process_stat stat;

	if (pid == 0 || pid > PID_LIMIT || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return false;
	if (process_stat_of((pid_t)pid, &stat) < 0)
		return true; /* hidden from us, but kill() found it */
	if (start_time != 0 && stat.fields[STAT_START] != start_time)
		return false;
	return !((stat.state == 'Z' || stat.state == 'X') && stat.fields[STAT_THREADS] <= 1);
}

static void meet(struct ingest *in, uint32_t i)
{
	const struct wire_process *p = wire_process_at(in->shared, i);
	struct watched *w = &in->watched[i];
	struct process_stat stat;

	w->known = true;
	w->gone = false;
	w->fds_most = w->fds_ns = 0;
	w->generation = p->generation;
	w->pid = pids_outside(in->pids, p->pid_ns, p->pid, p->parent, true, in->now_ns);
	w->start_time = process_stat_of((pid_t)w->pid, &stat) == 0 ? stat.fields[STAT_START] : 0;
}

uint32_t watch_pid(struct ingest *in, uint32_t process)
{
	const struct watched *w = &in->watched[process];

	if (!w->known || w->generation != wire_process_at(in->shared, process)->generation)
		meet(in, process);
	return w->pid;
}

static void tell_gone(struct ingest *in, uint32_t pid)
{
	const struct event e = {.id = WIRE_PROCESS_GONE, .t0 = in->now_ns, .t1 = in->now_ns, .pid = pid, .tid = pid, .fd = -1};

	ingest_hold(in, pending_new(in->order, &e, NULL, NULL));
}

/* Does another slot that is not history speak for this pid? */
static bool has_successor(const struct ingest *in, uint32_t i)
{
	for (uint32_t j = 0; j < in->shared->process_max; j++)
		if (j != i && in->watched[j].known && !in->watched[j].gone && in->watched[j].pid == in->watched[i].pid)
			return true;
	return false;
}

static void look_at(struct ingest *in, uint32_t i)
{
	struct wire_process *p = wire_process_at(in->shared, i);
	const uint32_t state = atomic_load_explicit(&p->state, memory_order_acquire);
	struct watched *w = &in->watched[i];

	if (state == WIRE_SLOT_FREE)
		return;
	if (i >= in->processes_high)
		in->processes_high = i + 1;
	if (state == WIRE_SLOT_CLAIMED)
		return;
	if (!w->known || w->generation != p->generation)
		meet(in, i);
	if (!w->gone && alive(w->pid, w->start_time))
		return;
	if (!w->gone) {
		w->gone = true;
		slots_abandon(in, i);
		return; /* its rings are read once more before the news goes out */
	}
	if (slots_in_use(in, i))
		return;
	if (!has_successor(in, i) && !alive(w->pid, w->start_time))
		tell_gone(in, w->pid);
	w->known = false;
	atomic_store_explicit(&p->state, WIRE_SLOT_FREE, memory_order_release);
}

void watch_check(struct ingest *in)
{
	for (uint32_t i = 0; i < in->shared->process_max; i++)
		look_at(in, i);
}

void watch_image(struct ingest *in, uint32_t process, uint64_t t1)
{
	if (process >= in->shared->process_max)
		return;
	in->watched[process].image_ns = t1;
	in->watched[process].image_generation = wire_process_at(in->shared, process)->generation;
}

/* Events are handed on later than they are read: by then a third program may run under this pid, and it must not be taken for history. */
static bool began_before(const struct ingest *in, uint32_t i, uint32_t process)
{
	const struct watched *w = &in->watched[i];

	return w->image_generation == wire_process_at(in->shared, i)->generation && w->image_ns < in->watched[process].image_ns;
}

void watch_exec(struct ingest *in, uint32_t process, uint32_t pid)
{
	if (process >= in->shared->process_max)
		return;
	for (uint32_t i = 0; i < in->shared->process_max; i++) {
		struct watched *w = &in->watched[i];
		const struct wire_process *p = wire_process_at(in->shared, i);
		const uint32_t state = atomic_load_explicit(&p->state, memory_order_acquire);

		if (i == process || (state != WIRE_SLOT_LIVE && state != WIRE_SLOT_DRAIN) || (!p->pid_ns && p->pid != pid) ||
		    !began_before(in, i, process) || watch_pid(in, i) != pid || w->gone)
			continue;
		w->gone = true;
		slots_abandon(in, i);
	}
}

unsigned int watch_live(const struct ingest *in)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < in->shared->process_max; i++) {
		const struct wire_process *p = wire_process_at(in->shared, i);
		const struct watched *w = &in->watched[i];
		const bool same = w->known && w->generation == p->generation;

		if (atomic_load_explicit(&p->state, memory_order_acquire) != WIRE_SLOT_LIVE || (same && w->gone))
			continue;
		/* One that nobody has looked at yet counts by its number, if that is one out here. */
		n += (same ? alive(w->pid, w->start_time) : p->pid_ns || alive(p->pid, 0)) ? 1U : 0U;
	}
	return n;
}
