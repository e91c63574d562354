/*
 * Traffic at one pace: checks with a period, polls, load generators. What goes on alike after good answers and after failures tries
 * nothing again. Works on one key; the session's thread.
 */
#include "core/elapsed.h"
#include "detectors/retry.h"

#define PACE_SAMPLES_MIN 3U
#define PACE_AT_ONCE_NS NS_PER_MS
#define PERIOD_SAMPLES_MIN 2U /* healthy intervals before a period is believed */

/* Checks at a fixed period that had the same period while all was well are no retries. */
bool retry_keeps_period(const struct retry_key *k, uint64_t interval_ns)
{
	if (k->period_n < PERIOD_SAMPLES_MIN || k->period_off_ns * 4 > k->period_ns)
		return false;
	return interval_ns * 4 >= k->period_ns * 3 && interval_ns * 4 <= k->period_ns * 5;
}

/* Traffic at one pace, whether it is answered well or not (a load generator, a crawler, a poller): nobody tries again there. */
bool retry_keeps_pace(const struct retry_key *k, uint64_t gap_ns)
{
	if (k->calm_n < PACE_SAMPLES_MIN)
		return false;
	return (gap_ns < PACE_AT_ONCE_NS && k->calm_ns < PACE_AT_ONCE_NS) || (2 * gap_ns >= k->calm_ns && gap_ns <= 2 * k->calm_ns);
}

/* The time from a good answer to the next attempt of the same thread. */
static void learn_pace(struct retry_key *k, const struct retry_attempt *a)
{
	if (k->ok_end_ns && a->tid == k->ok_tid && a->pid == k->ok_pid && a->caller == k->ok_caller &&
	    a->start_ns >= k->ok_end_ns) {
		uint64_t gap = elapsed_ns(k->ok_end_ns, a->start_ns);
		k->calm_ns = k->calm_n ? (3 * k->calm_ns + gap) / 4 : gap;
		k->calm_n++;
	}
	k->ok_end_ns = a->result == RETRY_OK ? a->end_ns : 0;
	k->ok_caller = a->caller;
	k->ok_tid = a->tid;
	k->ok_pid = a->pid;
}

/* From an attempt that went well to the next one, however that ends. */
static void learn_period(struct retry_key *k, const struct retry_attempt *a)
{
	if (k->ok_start_ns && a->start_ns > k->ok_start_ns) {
		uint64_t interval = elapsed_ns(k->ok_start_ns, a->start_ns);
		uint64_t off = interval > k->period_ns ? interval - k->period_ns : k->period_ns - interval;
		if (!k->period_n)
			off = 0;
		k->period_ns = k->period_n ? (3 * k->period_ns + interval) / 4 : interval;
		k->period_off_ns = k->period_n ? (3 * k->period_off_ns + off) / 4 : 0;
		k->period_n++;
	}
	k->ok_start_ns = a->result == RETRY_OK ? a->start_ns : 0;
}

void retry_learn_pace(struct retry_key *k, const struct retry_attempt *a)
{
	learn_pace(k, a);
	learn_period(k, a);
}

bool retry_was_pace(const struct retry_key *k)
{
	uint64_t gap = k->median_gap_ns;

	if (k->calm_n && 2 * gap >= k->calm_ns && gap <= 2 * k->calm_ns)
		return true;
	/* An attempt takes its time, too: a period is a little longer than a gap. */
	return k->period_n && gap <= k->period_ns && 4 * gap >= 3 * k->period_ns;
}
