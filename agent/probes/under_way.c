/* See under_way.h. */
#include "probes/under_way.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/monotonic.h"
#include "core/process_asleep.h"
#include "core/process_call.h"
#include "core/process_memory.h"
#include "probes/translate.h"

#define NS_PER_S 1000000000ULL

/*
 * A thread waits for another, until a moment that it has named: pthread_cond_timedwait and its kin, or a runtime's own (FUTEX_WAIT_BITSET,
 * futex(2)). Of FUTEX_WAIT, which has a span, nobody knows how much of it is left. The probes leave these calls alone.
 */
static bool waits_for_thread(const struct probe_slot *s)
{
	return s->nr == SYS_futex && s->args[3] != 0 && ((int)s->args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
}

/* A JVM's thread that clears up behind dropped objects looks every minute whether there are any (jdk.internal.ref.CleanerImpl): nobody's deadline. */
static bool keeps_house(const struct probe_slot *s)
{
	char path[64], name[16] = "";

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/comm", s->tgid, s->tid);

	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	const bool is = fgets(name, sizeof(name), f) != NULL && strncmp(name, "Common-Cleaner", strlen("Common-Cleaner")) == 0;

	fclose(f);
	return is;
}

static int64_t futex_left(const struct probe_slot *s)
{
	struct timespec until, now;

	if (!process_memory_read(s->tgid, s->args[3], &until, sizeof(until)) || until.tv_sec < 0 ||
	    clock_gettime((int)s->args[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now) < 0)
		return -1;
	if (until.tv_sec - now.tv_sec > INT64_MAX / (int64_t)NS_PER_S - 1)
		return INT64_MAX;

	const int64_t left = (until.tv_sec - now.tv_sec) * (int64_t)NS_PER_S + until.tv_nsec - now.tv_nsec;

	return left > 0 ? left : 0;
}

/* When it began, if the scheduler knows: it has waited since, and did nothing else. Of a moment that was named this brings back the whole span. */
static void date(struct probe_slot *s)
{
	uint64_t since;

	if (s->limit < 0 || !process_asleep_since((pid_t)s->tgid, (pid_t)s->tid, &since) || since > s->t0 ||
	    s->limit > INT64_MAX - (int64_t)(s->t0 - since))
		return;
	if (waits_for_thread(s))
		s->limit += (int64_t)(s->t0 - since);
	s->t0 = since;
	s->active = UNDER_WAY_DATED;
}

/* The event that the record of this call would have, and its descriptor; 0 if it never waits. */
static uint16_t event_of(const struct probe_slot *s, int32_t *ret_fd)
{
	if (!waits_for_thread(s))
		return translate_waiting(s, ret_fd);
	*ret_fd = -1;
	return WIRE_COND_WAIT;
}

/* A limit that stands in the caller's memory. */
static int64_t limit_of(const struct probe_slot *s)
{
	bool is_timeval;
	const uint64_t at = translate_limit_at(s, &is_timeval);
	int64_t t[2];

	if (waits_for_thread(s))
		return futex_left(s);
	if (at == 0 || !process_memory_read(s->tgid, at, t, sizeof(t)) || t[0] < 0 || t[1] < 0)
		return translate_limit(s);
	if (t[0] > INT64_MAX / (int64_t)NS_PER_S - 1)
		return INT64_MAX;
	return t[0] * (int64_t)NS_PER_S + t[1] * (is_timeval ? 1000 : 1);
}

/* Number, arguments and stack pointer of the call that a thread waits in; OVER if it waits in none. */
static enum under_way_state read_call(uint32_t pid, uint32_t tid, struct probe_slot *ret, uint64_t *ret_sp)
{
	struct process_call c;
	const enum process_call_state state = process_call((pid_t)pid, (pid_t)tid, &c);

	if (state != PROCESS_CALL_IN || c.nr >= PROBE_SYSCALLS)
		return state == PROCESS_CALL_RUNS ? UNDER_WAY_RUNS : UNDER_WAY_OVER;
	*ret = (struct probe_slot){.tid = tid, .tgid = pid, .limit = -1, .active = 1, .nr = (uint16_t)c.nr};
	memcpy(ret->args, c.args, sizeof(c.args));
	*ret_sp = c.sp;
	return UNDER_WAY_STILL;
}

bool under_way(pid_t pid, pid_t tid, struct probe_slot *ret, uint64_t *ret_sp)
{
	struct probe_slot s;
	uint64_t sp;

	if (read_call((uint32_t)pid, (uint32_t)tid, &s, &sp) != UNDER_WAY_STILL || event_of(&s, &(int32_t){0}) == 0 ||
	    (waits_for_thread(&s) && keeps_house(&s)))
		return false;
	s.t0 = monotonic_ns();
	s.limit = limit_of(&s);
	date(&s);
	*ret = s;
	*ret_sp = sp;
	return true;
}

enum under_way_state under_way_still(const struct probe_slot *s, uint64_t sp)
{
	struct probe_slot now;
	uint64_t now_sp;
	const enum under_way_state state = read_call(s->tgid, s->tid, &now, &now_sp);

	if (state != UNDER_WAY_STILL)
		return state;
	return now_sp == sp && (now.nr == s->nr || now.nr == SYS_restart_syscall) &&
			       memcmp(now.args, s->args, sizeof(now.args)) == 0
		       ? UNDER_WAY_STILL
		       : UNDER_WAY_OVER;
}

bool under_way_record(const struct probe_slot *s, uint64_t now_ns, struct under_way_record *ret)
{
	struct wire_record r = {
		.event = WIRE_INFLIGHT, .units = 1, .t0 = s->t0, .t1 = now_ns, .a1 = (uint64_t)s->limit, .site = s->site};

	r.a0 = event_of(s, &r.fd);
	if (r.a0 == 0)
		return false;
	if (r.a0 == WIRE_COND_WAIT)
		r.flags = s->active == UNDER_WAY_DATED ? WIRE_F_BEFORE | WIRE_F_DATED : WIRE_F_BEFORE;
	/* Which descriptors a poll is about stands in the service's memory. */
	if (r.a0 == WIRE_POLL && translate_is_poll(s->nr) && s->args[1] > 0 && s->args[1] <= PROBE_POLL &&
	    process_memory_read(s->tgid, s->args[0], ret->set, s->args[1] * sizeof(ret->set[0]))) {
		r.data_len = (uint32_t)(s->args[1] * sizeof(ret->set[0]));
		r.fd = s->args[1] == 1 ? ret->set[0].fd : -1;
	}
	ret->record = r;
	return true;
}
