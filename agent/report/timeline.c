/*
 * Steps of time with a histogram of durations each (timeline.h).
 */
#include "report/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/areas.h"
#include "report/findings.h"
#include "report/kinds.h"

#define SECOND_NS 1000000000ULL
#define BINS 112U       /* of a duration in µs: a quarter of an octave each, up to four minutes */
#define BINS_OCTAVE 4.0 /* so a bin's middle is within a tenth of what lies in it */

struct step {
	uint32_t requests, errors, bins[BINS];
};

struct timeline {
	uint64_t start_ns, step_ns;           /* start 0: no request yet */
	struct step steps[2][TIMELINE_STEPS]; /* client, server */
};

struct timeline *timeline_new(void)
{
	struct timeline *t = calloc(1, sizeof *t);
	if (t != NULL)
		t->step_ns = SECOND_NS;
	return t;
}

void timeline_free(struct timeline *t)
{
	free(t);
}

static void add(struct step *to, const struct step *from)
{
	to->requests += from->requests;
	to->errors += from->errors;
	for (size_t i = 0; i < BINS; i++)
		to->bins[i] += from->bins[i];
}

/* Each step becomes two of the old ones. */
static void widen(struct timeline *t)
{
	for (size_t d = 0; d < 2; d++) {
		struct step *steps = t->steps[d];
		for (size_t i = 0; i < TIMELINE_STEPS / 2; i++) {
			struct step both = steps[2 * i];
			add(&both, &steps[2 * i + 1]);
			steps[i] = both;
		}
		memset(steps + TIMELINE_STEPS / 2, 0, TIMELINE_STEPS / 2 * sizeof *steps);
	}
	t->step_ns *= 2;
}

static size_t bin_of(uint64_t us)
{
	const double bin = us > 0 ? floor(log2((double)us) * BINS_OCTAVE) : 0;
	return bin < BINS ? (size_t)bin : BINS - 1;
}

void timeline_request(struct timeline *t, const struct request *r)
{
	char type[16];
	if (!request_end_seen(r))
		return;
	if (t->start_ns == 0)
		t->start_ns = r->t_end - r->t_end % SECOND_NS;
	const uint64_t since = r->t_end > t->start_ns ? r->t_end - t->start_ns : 0;
	while (since / t->step_ns >= TIMELINE_STEPS)
		widen(t);
	struct step *s = &t->steps[r->server][since / t->step_ns];
	s->requests++;
	s->errors += r->kind != NULL ? r->kind->error : request_error_type(r, type, sizeof type) != NULL;
	s->bins[bin_of(r->t_end > r->t_start ? (r->t_end - r->t_start) / 1000U : 0)]++;
}

/* The middle of the bin that has the quantile; null where there was no request. */
static json_t *quantile_us(const struct step *s, double share)
{
	const double wanted = share * s->requests;
	double seen = 0;
	if (s->requests == 0)
		return json_null();
	size_t i = 0;
	while (i < BINS - 1 && (seen += s->bins[i]) < wanted)
		i++;
	return json_integer((json_int_t)lround(exp2(((double)i + 0.5) / BINS_OCTAVE)));
}

static json_t *direction_json(const struct step *steps, size_t n)
{
	json_t *requests = json_array(), *errors = json_array(), *p50 = json_array(), *p95 = json_array();
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(requests, json_integer(steps[i].requests));
		json_array_append_new(errors, json_integer(steps[i].errors));
		json_array_append_new(p50, quantile_us(&steps[i], 0.5));
		json_array_append_new(p95, quantile_us(&steps[i], 0.95));
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "requests", requests, "errors", errors, "p50_us", p50, "p95_us", p95);
}

json_t *timeline_json(const struct timeline *t, uint64_t now_ns)
{
	char start[32];
	const uint64_t passed = now_ns > t->start_ns ? (now_ns - t->start_ns) / t->step_ns + 1 : 1;
	const size_t n = t->start_ns == 0 ? 0 : passed < TIMELINE_STEPS ? (size_t)passed : TIMELINE_STEPS;
	return json_pack("{s:s, s:I, s:o, s:o}", "start", t->start_ns == 0 ? "" : time_text(t->start_ns, start, sizeof start),
			 "step_s", (json_int_t)(t->step_ns / SECOND_NS), "client", direction_json(t->steps[0], n), "server",
			 direction_json(t->steps[1], n));
}
