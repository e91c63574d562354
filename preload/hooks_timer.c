/*
 * Sleeps and timers. Any thread of the watched process.
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "preload/call.h"
#include "preload/limit.h"

#define NS_PER_US 1000LL

static void sleep_begin(struct call *c, int64_t ns)
{
	c->a1 = (uint64_t)ns;
	call_waits(c, ns);
	call_begin(c);
}

/* `failed` without errno: the error number itself. */
static void sleep_end(struct call *c, int64_t ret, int err)
{
	call_end(c, ret, false);
	c->err = (uint16_t)err;
	emit(c, NULL, 0, 0);
}

HOOK_FN(unsigned int, sleep, unsigned int seconds)
{
	struct call c;
	unsigned int r;

	if (!call_enter(&c, WIRE_SLEEP, -1))
		return REAL(sleep)(seconds);
	sleep_begin(&c, limit_of(seconds, 0));
	r = REAL(sleep)(seconds);
	sleep_end(&c, r, r ? EINTR : 0);
	return r;
}

HOOK_FN(int, usleep, useconds_t us)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SLEEP, -1))
		return REAL(usleep)(us);
	sleep_begin(&c, (int64_t)us * NS_PER_US);
	r = REAL(usleep)(us);
	sleep_end(&c, r, r < 0 ? errno : 0);
	return r;
}

HOOK_FN(int, nanosleep, const struct timespec *want, struct timespec *left)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SLEEP, -1))
		return REAL(nanosleep)(want, left);
	sleep_begin(&c, want ? limit_timespec(want) : 0);
	r = REAL(nanosleep)(want, left);
	sleep_end(&c, r, r < 0 ? errno : 0);
	return r;
}
HOOK_ALIAS(__nanosleep, nanosleep);

HOOK_FN(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *want, struct timespec *left)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_SLEEP, -1))
		return REAL(clock_nanosleep)(clock, flags, want, left);
	sleep_begin(&c, !want ? 0 : flags & TIMER_ABSTIME ? limit_until(clock, want) : limit_timespec(want));
	r = REAL(clock_nanosleep)(clock, flags, want, left);
	sleep_end(&c, r, r);
	return r;
}

HOOK_FN(int, timerfd_create, int clock, int flags)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_TIMERFD_CREATE, -1))
		return REAL(timerfd_create)(clock, flags);
	call_begin(&c);
	r = REAL(timerfd_create)(clock, flags);
	call_end(&c, r, r < 0);
	c.fd = r;
	c.a0 = (uint64_t)(int64_t)clock;
	if (r >= 0)
		fd_set_policy(r, WIRE_POLICY_NONE);
	emit(&c, NULL, 0, 0);
	return r;
}

static uint64_t first_expiry(clockid_t clock, const struct itimerspec *value, bool absolute)
{
	if (value->it_value.tv_sec == 0 && value->it_value.tv_nsec == 0)
		return 0;
	if (absolute) {
		const int64_t ns = limit_until(clock, &value->it_value);

		return ns > 0 ? (uint64_t)ns : 1; /* already past: it fires at once, and 0 would read as disarmed */
	}
	return (uint64_t)limit_timespec(&value->it_value);
}

HOOK_FN(int, timerfd_settime, int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_TIMERFD_SETTIME, fd))
		return REAL(timerfd_settime)(fd, flags, value, old);
	call_begin(&c);
	r = REAL(timerfd_settime)(fd, flags, value, old);
	call_end(&c, r, r < 0);
	if (r == 0) {
		c.a0 = (uint64_t)limit_timespec(&value->it_interval);
		c.a1 = first_expiry(LIMIT_CLOCK_GUESS, value, flags & TFD_TIMER_ABSTIME);
	}
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(unsigned int, alarm, unsigned int seconds)
{
	struct call c;
	unsigned int r;

	if (!call_enter(&c, WIRE_ITIMER, -1))
		return REAL(alarm)(seconds);
	call_begin(&c);
	r = REAL(alarm)(seconds);
	call_end(&c, r, false);
	c.a1 = (uint64_t)limit_of(seconds, 0);
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(useconds_t, ualarm, useconds_t us, useconds_t interval)
{
	struct call c;
	useconds_t r;

	if (!call_enter(&c, WIRE_ITIMER, -1))
		return REAL(ualarm)(us, interval);
	call_begin(&c);
	r = REAL(ualarm)(us, interval);
	call_end(&c, r, false);
	c.a0 = (uint64_t)interval * NS_PER_US;
	c.a1 = (uint64_t)us * NS_PER_US;
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(int, setitimer, int which, const struct itimerval *value, struct itimerval *old)
{
	struct call c;
	int r;

	if (which != ITIMER_REAL || !value || !call_enter(&c, WIRE_ITIMER, -1))
		return REAL(setitimer)(which, value, old);
	call_begin(&c);
	r = REAL(setitimer)(which, value, old);
	call_end(&c, r, r < 0);
	if (r == 0) {
		c.a0 = (uint64_t)limit_timeval(&value->it_interval);
		c.a1 = (uint64_t)limit_timeval(&value->it_value);
	}
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(int, timer_create, clockid_t clock, struct sigevent *event, timer_t *id)
{
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_TIMER_CREATE, -1))
		return REAL(timer_create)(clock, event, id);
	call_begin(&c);
	r = REAL(timer_create)(clock, event, id);
	call_end(&c, r, r < 0);
	c.a0 = (uint64_t)(int64_t)clock;
	if (r == 0)
		c.a1 = (uint64_t)(uintptr_t)*id;
	emit(&c, NULL, 0, 0);
	return r;
}

HOOK_FN(int, timer_settime, timer_t id, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	const uint64_t number = (uint64_t)(uintptr_t)id;
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_TIMER_SETTIME, -1))
		return REAL(timer_settime)(id, flags, value, old);
	call_begin(&c);
	r = REAL(timer_settime)(id, flags, value, old);
	call_end(&c, r, r < 0);
	if (r == 0) {
		c.a0 = (uint64_t)limit_timespec(&value->it_interval);
		c.a1 = first_expiry(LIMIT_CLOCK_GUESS, value, flags & TIMER_ABSTIME);
	}
	emit(&c, &number, sizeof(number), 0);
	return r;
}

/* One that is deleted is told as stopped: nothing of it is left to fire. */
HOOK_FN(int, timer_delete, timer_t id)
{
	const uint64_t number = (uint64_t)(uintptr_t)id;
	struct call c;
	int r;

	if (!call_enter(&c, WIRE_TIMER_SETTIME, -1))
		return REAL(timer_delete)(id);
	call_begin(&c);
	r = REAL(timer_delete)(id);
	call_end(&c, r, r < 0);
	emit(&c, &number, sizeof(number), 0);
	return r;
}

#define TIMERS_ASKED 64 /* the kernel numbers a process's timers from 0 on */

static void posix_timers_announce(void)
{
	for (uint64_t id = 0; id < TIMERS_ASKED; id++) {
		struct itimerspec value = {0};

		if (cpu_syscall(SYS_timer_gettime, (long)id, (long)&value, 0, 0, 0, 0) != 0 ||
		    (value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0))
			continue;
		struct call c = {.event = WIRE_TIMER_SETTIME, .fd = -1, .a0 = (uint64_t)limit_timespec(&value.it_interval)};
		c.t0 = c.t1 = shim_ticks();
		c.a1 = (uint64_t)limit_timespec(&value.it_value);
		emit(&c, &id, sizeof(id), 0);
	}
}

/* What was set before this library came: the kernel tells it, and no question changes anything. */
void timers_announce(void)
{
	struct call c = {.event = WIRE_SIGACTION, .fd = -1, .a0 = SIGALRM};
	unsigned long action[8] = {0}; /* the kernel's form: handler, flags, … */
	struct itimerval value = {0};

	posix_timers_announce();
	if (cpu_syscall(SYS_rt_sigaction, SIGALRM, 0, (long)action, sizeof(uint64_t), 0, 0) != 0)
		return;
	if (action[0] != (unsigned long)SIG_DFL) {
		c.t0 = c.t1 = shim_ticks();
		c.a1 = action[0] == (unsigned long)SIG_IGN ? SA_RESTART : action[1];
		emit(&c, NULL, 0, 0);
	}
	if (cpu_syscall(SYS_getitimer, ITIMER_REAL, (long)&value, 0, 0, 0, 0) != 0 ||
	    (value.it_value.tv_sec == 0 && value.it_value.tv_usec == 0))
		return;
	c = (struct call){.event = WIRE_ITIMER, .fd = -1, .a0 = (uint64_t)limit_timeval(&value.it_interval)};
	c.t0 = c.t1 = shim_ticks();
	c.a1 = (uint64_t)limit_timeval(&value.it_value);
	emit(&c, NULL, 0, 0);
}
