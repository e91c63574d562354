/*
 * How ready a service is, 0 to 100, for each area and in all, with the arithmetic: each finding takes off points by its severity and
 * confidence, more for a service whose failure costs more. An area of which nothing was seen has no score. Pure functions.
 */
#ifndef GAPSCOPE_REPORT_SCORE_H
#define GAPSCOPE_REPORT_SCORE_H

#include <jansson.h>

/*
 * {"score": 72 | null, "tier", "weight", "areas": {"deadline": {"score": 60 | null, "lost": [{"rule", "points", "why", …}…]}, …}, "first": [what to
 * mend first: {"rule", "points", "remedy", "where", "fingerprint"}…]}. `tier`: "standard", "critical" or "internal". A new object.
 */
json_t *score_of(const json_t *report, const char *tier);

#endif
