/*
 * The shape of a back-off, from the gaps between the end of a failed attempt and the start of the next. Scheduling and load only ever
 * lengthen a gap, so judgements rest on low quantiles and on gaps that are short. Pure functions.
 */
#ifndef GAPSCOPE_DETECTORS_RETRY_SHAPE_H
#define GAPSCOPE_DETECTORS_RETRY_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPE_GAPS_MAX 32U /* gaps of one sequence that are looked at */
#define SHAPE_STEPS_MAX 8U /* k-th gaps that are compared across sequences */
#define SHAPE_STEP_GAPS 8U /* and of how many sequences */

enum backoff { BACKOFF_NONE, BACKOFF_CONSTANT, BACKOFF_LINEAR, BACKOFF_EXPONENTIAL, BACKOFF_IRREGULAR };
enum jitter { JITTER_UNKNOWN, JITTER_NO, JITTER_YES };

/* The k-th gap across sequences: of the first ones that had it. */
struct shape_step {
	uint32_t n;
	uint32_t gaps_us[SHAPE_STEP_GAPS];
};

/* Shape of one sequence's gaps, in order. `none_below_ns`: a median gap under it is no back-off at all. */
enum backoff shape_of(const uint64_t *gaps, size_t n, uint64_t none_below_ns);
/* The same of delays as they were asked for: nothing lengthened them, so that steps that are alike are more alike. */
enum backoff shape_of_asked(const uint64_t *gaps, size_t n, uint64_t none_below_ns);
/* One delay, but for what lengthened some of them. shape_of says constant of delays drawn around one length, too. */
bool shape_is_constant(const uint64_t *gaps, size_t n);
/* Median of at most SHAPE_GAPS_MAX gaps (the lower one of an even count), 0 of none. */
uint64_t shape_median(const uint64_t *gaps, size_t n);
/* Do the gaps of several sequences differ as random delays do? Load lengthens some of them: most have to. Asks for `sequences_min` values of one step and six gaps in all. */
enum jitter shape_jitter(const struct shape_step *steps, size_t n, uint32_t sequences_min);
/* The same from the gaps of one sequence (of more than six): fixed delays and fixed growth against delays that go up and down. */
enum jitter shape_jitter_within(const uint64_t *gaps, size_t n, uint64_t none_below_ns);
/* Retries inside of retries: the attempts of one inner round, where rounds of unlike gaps repeat (0, 200, 400, 300, 0, 200, 400 ms: 4);
 * 0 where they do not. */
uint32_t shape_nested(const uint64_t *gaps, size_t n);
/* Calls that each start their delays anew: the attempts of one, where delays fall back at even distances; 0 where they do not. */
uint32_t shape_rounds(const uint64_t *gaps, size_t n);
/* Does a later delay come down to what the first two were, as that of a new call would? */
bool shape_restarts(const uint64_t *gaps, size_t n);
void shape_step_add(struct shape_step *step, uint64_t gap);
const char *backoff_name(enum backoff b);
const char *jitter_name(enum jitter j);

#endif
