/*
 * Samplers of OTEL_TRACES_SAMPLER: which spans are sent. Pure functions, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_SAMPLER_H
#define GAPSCOPE_EXPORTERS_OTLP_SAMPLER_H

#include "exporters/otlp_env_parse.h"
#include "report/telemetry.h"

struct otlp_sampler {
	bool parent_based;  /* where there is a parent, its sampled flag decides */
	uint64_t threshold; /* of 63 bits of the trace id, for roots: below is sent */
};

/* False, with the default (parentbased_always_on), where the variables cannot be understood. */
bool otlp_sampler_read(env_fn env, struct otlp_sampler *ret);
bool otlp_sampled(const struct otlp_sampler *s, const struct span *span);

#endif
