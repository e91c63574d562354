/*
 * Traffic at one pace: checks with a period, polls, load generators. What goes on alike after good answers and after failures tries
 * nothing again. A caller with a period may be late (a slow answer, a busy machine) and make up for the rounds that it owes, one at once after
 * the other: a round has a moment at which it is due, and what comes after it, and at once, pays for it. Works on one key; the session's thread.
 */
#include "core/elapsed.h"
#include "detectors/retry.h"

#define PACE_SAMPLES_MIN 3U
#define PACE_AT_ONCE_NS NS_PER_MS
#define PERIOD_SAMPLES_MIN 2U /* healthy intervals before a period is believed */
#define PAID_FAILURES_MAX 8U  /* rounds made up for in a row that all failed: more are tries of one round */
#define BURST_MIN 2U          /* attempts in a row that came at once after good answers */
#define BURST_MAX 64U         /* who goes on so for longer has another pace */
#define ODD_MAX 16U           /* attempts in a row that are no round in time, until another period is learned */
#define WAITED_MAX 4U         /* that came late though others were due: who waits so often does not make up for them */

/* Has it a period? */
static bool is_periodic(const struct retry_client *c)
{
	return c->period_n >= PERIOD_SAMPLES_MIN && c->period_off_ns * 4 <= c->period_ns;
}

/* Checks at a fixed period that had the same period while all was well are no retries. */
bool retry_keeps_period(const struct retry_key *k, uint64_t interval_ns)
{
	if (!is_periodic(k->client))
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

/* Comes it after the one before sooner than any round would? */
static bool at_once(const struct retry_client *c, const struct retry_attempt *a)
{
	return elapsed_ns(c->last_end_ns, retry_begin_ns(a, c->last_end_ns)) * 4 < c->period_ns;
}

/* A round was due before the last attempt had ended, and this one comes at once. */
static bool pays_round(const struct retry_client *c, const struct retry_attempt *a)
{
	return is_periodic(c) && c->due_ns && c->due_ns <= c->last_end_ns && c->paid_failures < PAID_FAILURES_MAX && at_once(c, a);
}

/* It is in a burst that goes on at once after good answers, too: whoever is so late makes up for rounds, more of them than were seen to be
 * missed if records were lost. */
static bool in_burst(const struct retry_client *c, const struct retry_attempt *a)
{
	return is_periodic(c) && c->burst >= BURST_MIN && c->burst < BURST_MAX && c->paid_failures < PAID_FAILURES_MAX &&
	       at_once(c, a);
}

/* The next round after those that were made up for comes when it is due: sooner than a period after the last of them began. */
bool retry_keeps_schedule(const struct retry_key *k, const struct retry_attempt *a)
{
	const struct retry_client *c = k->client;
	const uint64_t off_ns = a->start_ns > c->due_ns ? a->start_ns - c->due_ns : c->due_ns - a->start_ns;

	return pays_round(c, a) || in_burst(c, a) || (c->paid && is_periodic(c) && off_ns * 4 <= c->period_ns);
}

/* When the next round is due. False if this attempt is not in time, so that it shows neither period nor pace. */
static bool keep_schedule(struct retry_client *c, const struct retry_attempt *a)
{
	const bool good = a->result == RETRY_OK, known = is_periodic(c) && c->due_ns, burst = in_burst(c, a);
	const uint64_t slack_ns = c->period_ns / 4;

	c->paid = pays_round(c, a);
	c->paid_failures = good || !(c->paid || burst) ? 0 : c->paid_failures + 1;
	if (c->paid) {
		c->odd = 0;
		c->due_ns += c->period_ns;
		return false;
	}
	if (burst)
		return false;
	if (known && a->start_ns + slack_ns < c->due_ns && ++c->odd < ODD_MAX) /* no round at all */
		return false;
	if (known && a->start_ns > c->due_ns + slack_ns && ++c->odd < ODD_MAX) {
		const bool waited = c->due_ns <= c->last_end_ns && c->odd >= WAITED_MAX;
		c->due_ns = waited ? a->start_ns + c->period_ns : c->due_ns + c->period_ns;
		return false;
	}
	if (c->odd == ODD_MAX)
		c->period_n = 0;
	c->odd = 0;
	c->due_ns = c->period_n ? a->start_ns + c->period_ns : 0;
	return true;
}

/* When the same thread went on after a good answer, or somebody who starts a process for each attempt did; 0 if nobody is known to have. */
static uint64_t went_on_ns(const struct retry_client *c, const struct retry_attempt *a)
{
	if (!c->ok_end_ns || a->caller != c->ok_caller || a->start_ns < c->ok_end_ns)
		return 0;
	if (a->pid != c->ok_pid)
		return a->parent && a->parent == c->parent && a->process_ns > c->ok_end_ns ? a->process_ns : 0;
	return a->tid == c->ok_tid ? a->start_ns : 0;
}

/* The time from a good answer to the next attempt. */
static void learn_pace(struct retry_key *k, const struct retry_attempt *a)
{
	const uint64_t on_ns = went_on_ns(k->client, a);

	if (on_ns) {
		uint64_t gap = elapsed_ns(k->client->ok_end_ns, on_ns);
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
	struct retry_client *c = k->client;

	c->burst = !at_once(c, a) ? 0 : c->burst + c->good;
	c->good = a->result == RETRY_OK;
	const bool in_time = keep_schedule(c, a), other_process = a->pid != c->ok_pid;
	if (in_time || other_process) /* who starts a process each time shows a pace whenever it comes up */
		learn_pace(k, a);
	else
		c->ok_end_ns = 0;
	if (in_time)
		learn_period(k, a);
	else
		c->ok_start_ns = 0;
	c->last_end_ns = a->end_ns > c->last_end_ns ? a->end_ns : c->last_end_ns;
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
