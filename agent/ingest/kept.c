/* Trying what the kernel does with restartable sequences: see kept.h. */
#include "ingest/kept.h"

#include <time.h>

#include "wire/rseq.h"

/* Most must be told: an interrupt at the right moment can make up a wait where nobody tells, and end one before it has begun. */
#define WAITS 4U
#define WAIT_NS 100000

bool kept_works(void)
{
	const struct timespec wait = {.tv_nsec = WAIT_NS};
	const int32_t offset = wire_rseq_offset();
	struct wire_rseq *r;
	unsigned int told = 0;

	if (offset == 0)
		return false;
	r = (struct wire_rseq *)(void *)((char *)__builtin_thread_pointer() + offset);
	if (r->cpu_id < 0 || r->sequence != 0)
		return false;
	for (unsigned int i = 0; i < WAITS; i++) {
		wire_rseq_watch(r);
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
		if (!wire_rseq_kept(r))
			told++;
	}
	return told > WAITS / 2;
}
