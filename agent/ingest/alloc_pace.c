/* See alloc_pace.h. */
#include "ingest/alloc_pace.h"

#define STEP 3000U /* samples at one distance, or alive, before it is doubled */
#define WORTH 16U  /* samples that one which is alive may have cost */

uint32_t alloc_pace_mean(const struct alloc_pace *p, uint32_t now)
{
	const uint64_t alive = p->samples > p->frees ? p->samples - p->frees : 0;
	const uint64_t spent = p->samples > WORTH * alive ? p->samples - WORTH * alive : 0;
	uint64_t mean = p->first;

	if (p->first == 0 || now >= p->most)
		return now;
	for (uint64_t doublings = (spent > alive ? spent : alive) / STEP; doublings > 0 && mean < p->most; doublings--)
		mean *= 2;
	mean = mean < p->most ? mean : p->most;
	return mean > now ? (uint32_t)mean : now;
}
