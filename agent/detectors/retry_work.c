/*
 * Where new work came from. A worker takes a job from a queue, and what it asks for that job is a call of its own, however equal to the call
 * before it: that one was given up. A thread that took a job and then let no time pass before it asked does so for the job; one that slept
 * in between may go on with what it did before. Threads share the slots of a small table; the newest has a slot. The session's thread.
 */
#include <string.h>

#include "core/elapsed.h"
#include "detectors/retry.h"

#define EMPTY_BYTES 8U        /* answers of Redis that say that there was nothing are no longer: "*-1" and the like */
#define SCRIPT_BYTES 64U      /* scripts that count, lock or limit answer with less; those that fetch a job answer with the job */
#define SIGNAL_BYTES 16U      /* what goes through a pipe to wake its reader is no longer */
#define SLEPT_NS NS_PER_MS    /* shorter sleeps are no delay */
#define STARTS_IN_NS NS_PER_S /* so soon after a job was taken, its work begins */

static struct retry_work *work_of(struct retry *r, uint32_t tid)
{
	return &r->work[(tid * 2654435761U >> 16) % RETRY_THREADS_MAX];
}

static void took(struct retry *r, uint32_t tid, uint64_t now_ns)
{
	struct retry_work *w = work_of(r, tid);

	if (w->tid != tid)
		*w = (struct retry_work){.tid = tid};
	w->jobs[w->n++ % RETRY_JOBS_MAX] = (struct retry_job){.taken_ns = now_ns};
}

/* Commands of Redis that take an element out of a list, a set or a stream: what queues are made of. */
static bool pops(const char *method)
{
	static const char *const names[] = {"LPOP",     "RPOP",     "BLPOP",      "BRPOP",  "RPOPLPUSH", "BRPOPLPUSH",
					    "LMOVE",    "BLMOVE",   "LMPOP",      "BLMPOP", "ZPOPMIN",   "ZPOPMAX",
					    "BZPOPMIN", "BZPOPMAX", "XREADGROUP", "XREAD",  "SPOP",      "XAUTOCLAIM"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(method, names[i]))
			return true;
	}
	return false;
}

/* Libraries of queues keep their steps in scripts, which are named by nothing but a hash. */
static bool runs_script(const char *method)
{
	return !strcmp(method, "EVALSHA") || !strcmp(method, "EVAL") || !strcmp(method, "FCALL");
}

static bool redis_brings_job(const struct request *q)
{
	return (q->response_bytes > EMPTY_BYTES && pops(q->method)) || (q->response_bytes > SCRIPT_BYTES && runs_script(q->method));
}

/* Did its answer bring a job? */
static bool brings_job(const struct request *q)
{
	if (q->way == MESSAGE_DELIVER)
		return true;
	if (q->end != REQUEST_DONE || q->failed)
		return false;
	if (q->way == MESSAGE_RECEIVE || (q->waits && q->status == 200))
		return true;
	if (!q->system)
		return false;
	return !strcmp(q->system, "redis") ? redis_brings_job(q) : strstr(q->text, "SKIP LOCKED") != NULL;
}

void retry_work_request(struct retry *r, const struct request *q)
{
	if (brings_job(q))
		took(r, q->tid, q->t_end);
}

/* From another process of the service: pools hand jobs to their workers through pipes. */
void retry_work_read(struct retry *r, const struct conn *c, enum direction d, const struct event *e)
{
	if (e && c->kind == CONN_PIPE && d == DIR_IN && e->ret > (int64_t)SIGNAL_BYTES)
		took(r, e->tid, e->t1);
}

/* Time that passed by itself: a sleep, or a loop's timer. */
void retry_work_event(struct retry *r, const struct event *e)
{
	const bool waits = e->id == WIRE_SLEEP || ((e->id == WIRE_POLL || e->id == WIRE_EPOLL_WAIT) && !e->ret);

	if (!waits || elapsed_ns(e->t0, e->t1) < SLEPT_NS)
		return;
	struct retry_work *w = work_of(r, e->tid);
	struct retry_job *last = &w->jobs[(w->n + RETRY_JOBS_MAX - 1) % RETRY_JOBS_MAX];
	if (w->tid == e->tid && w->n && !last->slept_ns)
		last->slept_ns = e->t1;
}

bool retry_work_taken(struct retry *r, uint32_t tid, uint64_t from_ns, uint64_t to_ns)
{
	const struct retry_work *w = work_of(r, tid);

	for (uint32_t i = 0; w->tid == tid && i < RETRY_JOBS_MAX && i < w->n; i++) {
		const struct retry_job *j = &w->jobs[i];
		if (j->taken_ns >= from_ns && j->taken_ns <= to_ns && to_ns - j->taken_ns <= STARTS_IN_NS &&
		    (!j->slept_ns || j->slept_ns > to_ns))
			return true;
	}
	return false;
}
