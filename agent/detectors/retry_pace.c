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
	if (k->client->period_n < PERIOD_SAMPLES_MIN || k->client->period_off_ns * 4 > k->client->period_ns)
		return false;
	return interval_ns * 4 >= k->client->period_ns * 3 && interval_ns * 4 <= k->client->period_ns * 5;
}

/* Traffic at one pace, whether it is answered well or not (a load generator, a crawler, a poller): nobody tries again there. */
bool retry_keeps_pace(const struct retry_key *k, uint64_t gap_ns)
{
	if (k->client->calm_n < PACE_SAMPLES_MIN)
		return false;
	return (gap_ns < PACE_AT_ONCE_NS && k->client->calm_ns < PACE_AT_ONCE_NS) ||
	       (2 * gap_ns >= k->client->calm_ns && gap_ns <= 2 * k->client->calm_ns);
}

/* The time from a good answer to the next attempt of the same thread. */
static void learn_pace(struct retry_key *k, const struct retry_attempt *a)
{
	if (k->client->ok_end_ns && a->tid == k->client->ok_tid && a->pid == k->client->ok_pid &&
	    a->caller == k->client->ok_caller && a->start_ns >= k->client->ok_end_ns) {
		uint64_t gap = elapsed_ns(k->client->ok_end_ns, a->start_ns);
		k->client->calm_ns = k->client->calm_n ? (3 * k->client->calm_ns + gap) / 4 : gap;
		k->client->calm_n++;
	}
	k->client->ok_end_ns = a->result == RETRY_OK ? a->end_ns : 0;
	k->client->ok_caller = a->caller;
	k->client->ok_tid = a->tid;
	k->client->ok_pid = a->pid;
}

/* From an attempt that went well to the next one, however that ends. */
static void learn_period(struct retry_key *k, const struct retry_attempt *a)
{
	if (k->client->ok_start_ns && a->start_ns > k->client->ok_start_ns) {
		uint64_t interval = elapsed_ns(k->client->ok_start_ns, a->start_ns);
		uint64_t off = interval > k->client->period_ns ? interval - k->client->period_ns : k->client->period_ns - interval;
		if (!k->client->period_n)
			off = 0;
		k->client->period_ns = k->client->period_n ? (3 * k->client->period_ns + interval) / 4 : interval;
		k->client->period_off_ns = k->client->period_n ? (3 * k->client->period_off_ns + off) / 4 : 0;
		k->client->period_n++;
	}
	k->client->ok_start_ns = a->result == RETRY_OK ? a->start_ns : 0;
}

void retry_learn_pace(struct retry_key *k, const struct retry_attempt *a)
{
	learn_pace(k, a);
	learn_period(k, a);
}

static bool was_pace_of(const struct retry_client *c, uint64_t gap)
{
	if (c->calm_n && 2 * gap >= c->calm_ns && gap <= 2 * c->calm_ns)
		return true;
	/* An attempt takes its time, too: a period is a little longer than a gap. */
	return c->period_n && gap <= c->period_ns && 4 * gap >= 3 * c->period_ns;
}

bool retry_was_pace(const struct retry_key *k)
{
	bool was = was_pace_of(&k->first, k->median_gap_ns);

	for (const struct retry_client *c = k->others; c; c = c->next)
		was = was || was_pace_of(c, k->median_gap_ns);
	return was;
}
