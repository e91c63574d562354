/*
 * Waits for other threads: condition variables and semaphores. Any thread of the watched process.
 * These return an error number (pthread_*) or -1 and errno (sem_*).
 */
#include <pthread.h>
#include <semaphore.h>

#include "preload/call.h"
#include "preload/limit.h"

static void cond_begin(struct call *c, const void *what, int64_t limit_ns)
{
	c->a0 = (uint64_t)(uintptr_t)what;
	c->a1 = (uint64_t)limit_ns;
	call_waits(c, limit_ns);
	call_begin(c);
}

static void cond_end(struct call *c, int r, bool errno_set)
{
	call_end(c, r, errno_set && r < 0);
	if (!errno_set)
		c->err = (uint16_t)r;
	emit(c, NULL, 0, 0);
}

#define COND(what, limit, errno_set, real) \
	do { \
		struct call c; \
		int r; \
\
		if (!call_enter(&c, WIRE_COND_WAIT, -1)) \
			return real; \
		cond_begin(&c, what, limit); \
		r = real; \
		cond_end(&c, r, errno_set); \
		return r; \
	} while (0)

HOOK_FN(int, pthread_cond_wait, pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	COND(cond, -1, false, REAL(pthread_cond_wait)(cond, mutex));
}

HOOK_FN(int, pthread_cond_timedwait, pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	COND(cond, limit_until(LIMIT_CLOCK_GUESS, until), false, REAL(pthread_cond_timedwait)(cond, mutex, until));
}

HOOK_FN(int, pthread_cond_clockwait, pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	COND(cond, limit_until(clock, until), false, REAL(pthread_cond_clockwait)(cond, mutex, clock, until));
}

HOOK_FN(int, sem_wait, sem_t *sem)
{
	COND(sem, -1, true, REAL(sem_wait)(sem));
}

HOOK_FN(int, sem_timedwait, sem_t *sem, const struct timespec *until)
{
	COND(sem, limit_until(CLOCK_REALTIME, until), true, REAL(sem_timedwait)(sem, until));
}

HOOK_FN(int, sem_clockwait, sem_t *sem, clockid_t clock, const struct timespec *until)
{
	COND(sem, limit_until(clock, until), true, REAL(sem_clockwait)(sem, clock, until));
}
