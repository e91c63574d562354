/* The scanner's budget: see budget.h. */
#include "ingest/budget.h"

#include <time.h>

#define FIRST_BYTE_NS 1.5     /* until something was measured */
#define SAVED_MAX_NS 500e6    /* half a second of work at most for a burst */
#define MEASURE_EVERY 64U     /* reading the processor's time is a system call */
#define MEASURE_BYTES_MIN 64U /* of less, the clock itself is measured */
#define WEIGHT 0.1            /* of a new measurement */
#define BYTE_NS_MAX 2000.0    /* a measurement beyond this was an interruption */

void budget_start(struct budget *b, double share)
{
	*b = (struct budget){.share = share, .byte_ns = FIRST_BYTE_NS, .saved_ns = share * SAVED_MAX_NS};
}

bool budget_take(struct budget *b, uint64_t now_ns, size_t len)
{
	const double cost = b->byte_ns * (double)len;

	if (b->share <= 0)
		return true;
	if (now_ns > b->last_ns) {
		if (b->last_ns != 0)
			b->saved_ns += b->share * (double)(now_ns - b->last_ns);
		b->last_ns = now_ns;
	}
	if (b->saved_ns > b->share * SAVED_MAX_NS)
		b->saved_ns = b->share * SAVED_MAX_NS;
	/* One write may overdraw the account: else a long one would never be read. */
	if (b->saved_ns <= 0)
		return false;
	b->saved_ns -= cost;
	return true;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void budget_begin(struct budget *b)
{
	b->started_ns = b->share > 0 && b->calls++ % MEASURE_EVERY == 0 ? cpu_ns() : 0;
}

void budget_end(struct budget *b, size_t len)
{
	if (b->started_ns == 0 || len < MEASURE_BYTES_MIN)
		return;
	const double byte_ns = (double)(cpu_ns() - b->started_ns) / (double)len;

	b->started_ns = 0;
	if (byte_ns <= BYTE_NS_MAX)
		b->byte_ns += WEIGHT * (byte_ns - b->byte_ns);
}
