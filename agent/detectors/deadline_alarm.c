/*
 * Timers that the kernel keeps for a process: alarm and setitimer, timer_settime, timerfd_settime. What one does when it fires shows in no
 * call: a signal's handler or a thread of glibc's shuts the connection down, jumps out of the wait or ends the process. So each counts as a sleep of somebody's who may
 * be a watchdog (deadline_watchdog.c), under a thread number that no thread has. Set once, it may be meant for whatever waits while it is
 * pending. A periodic one, a timer's descriptor, and one that is set again as soon as it has fired tick for other reasons more often than
 * not: these count if they were set together with the operation.
 *
 * The session's thread.
 */
#include <string.h>

#include "detectors/deadline.h"

#define NO_THREAD 0x80000000U /* above the largest thread number (PID_MAX_LIMIT) */
#define NO_THREAD_FD 0x40000000U
#define ITIMER_TID (NO_THREAD | NO_THREAD_FD)
#define AGAIN_NS (50 * NS_PER_MS) /* set so soon after it has fired, it ticks */

static uint32_t thread_of(const struct event *e)
{
	uint64_t id = 0;

	if (e->id == WIRE_TIMERFD_SETTIME)
		return NO_THREAD_FD | ((uint32_t)e->fd & ~ITIMER_TID);
	if (e->id == WIRE_ITIMER)
		return ITIMER_TID;
	if (e->data && e->data_len >= sizeof id)
		memcpy(&id, e->data, sizeof id);
	return NO_THREAD | ((uint32_t)(id ^ id >> 32) & ~ITIMER_TID);
}

/* Stopped or moved before it fired, it has watched up to now; else: did it fire just now? */
static bool end_last(struct deadline *d, uint32_t pid, uint32_t tid, uint64_t now_ns)
{
	bool fired = false;

	for (uint32_t i = 0; i < d->timers_used; i++) {
		struct deadline_timer *t = &d->timers[i];
		if (t->pid != pid || t->tid != tid || !t->t0)
			continue;
		fired = fired || (t->woke_ns && t->due <= now_ns && now_ns - t->due <= AGAIN_NS);
		if (t->due > now_ns) {
			t->due = now_ns;
			t->woke_ns = 0;
		}
	}
	return fired;
}

void watchdog_alarm(struct deadline *d, const struct event *e)
{
	const uint32_t tid = thread_of(e);

	if (e->ret < 0 && e->id != WIRE_ITIMER)
		return;
	const bool ticks = end_last(d, e->pid, tid, e->t0) || e->a0 || e->id == WIRE_TIMERFD_SETTIME;
	if (!e->a1)
		return;
	const struct deadline_timer timer = {
		.pid = e->pid,
		.tid = tid,
		.t0 = e->t0,
		.due = e->t0 + e->a1,
		.limit_ns = e->a1,
		.since_ns = e->t0,
		.first_ns = e->t0,
		.woke_ns = e->t0 + e->a1,
		.ended = true,
		.alarm = !ticks,
	};

	watchdog_remember(d, &timer);
}
