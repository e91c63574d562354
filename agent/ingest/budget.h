/*
 * The scanner's share of a processor. Bytes are charged by what a byte was measured to cost; when the account is empty, log writes are
 * left unread until it has filled again, and the share that was read is told with the findings. Event time fills the account, so a burst
 * may use what was saved before it.
 *
 * Owner: redact; its thread only.
 */
#ifndef GAPSCOPE_INGEST_BUDGET_H
#define GAPSCOPE_INGEST_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
	double share;    /* of one processor; 0: no limit */
	double saved_ns; /* processor time that may be spent */
	double byte_ns;  /* what a byte costs, by measurement */
	uint64_t last_ns;
	uint64_t started_ns; /* processor time at the start of what is being measured, 0 if nothing is */
	uint32_t calls;
};

void budget_start(struct budget *b, double share);
/* May `len` bytes be read at event time now_ns? They are charged then. */
bool budget_take(struct budget *b, uint64_t now_ns, size_t len);
/* Around the work itself: it measures now and then. */
void budget_begin(struct budget *b);
void budget_end(struct budget *b, size_t len);

#endif
