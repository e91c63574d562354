/*
 * Samplers of OTEL_TRACES_SAMPLER (OpenTelemetry: SDK environment variables, general).
 */
#include "exporters/otlp_sampler.h"

#include <stdlib.h>
#include <string.h>

#define ALL (1ULL << 63)
#define PARENT_BASED "parentbased_"

static bool ratio_of(env_fn env, uint64_t *ret)
{
	const char *text = env_text(env, "OTEL_TRACES_SAMPLER_ARG");
	char *end;
	if (text == NULL) {
		*ret = ALL;
		return true;
	}
	double ratio = strtod(text, &end);
	if (*end != '\0' || !(ratio >= 0 && ratio <= 1))
		return false;
	*ret = ratio >= 1 ? ALL : (uint64_t)(ratio * (double)ALL);
	return true;
}

bool otlp_sampler_read(env_fn env, struct otlp_sampler *ret)
{
	const char *name = env_text(env, "OTEL_TRACES_SAMPLER");
	*ret = (struct otlp_sampler){.parent_based = true, .threshold = ALL};
	if (name == NULL)
		return true;
	struct otlp_sampler s = {.threshold = ALL};
	if (strncmp(name, PARENT_BASED, sizeof PARENT_BASED - 1) == 0) {
		s.parent_based = true;
		name += sizeof PARENT_BASED - 1;
	}
	if (strcmp(name, "always_off") == 0)
		s.threshold = 0;
	else if (strcmp(name, "traceidratio") == 0 ? !ratio_of(env, &s.threshold) : strcmp(name, "always_on") != 0)
		return false;
	*ret = s;
	return true;
}

bool otlp_sampled(const struct otlp_sampler *s, const struct span *span)
{
	static const uint8_t none[8];
	if (s->parent_based && memcmp(span->parent_id, none, sizeof none) != 0)
		return (span->trace_flags & 1U) != 0;
	uint64_t low = 0;
	for (size_t i = 8; i < 16; i++)
		low = low << 8 | span->trace_id[i];
	return (low & (ALL - 1)) < s->threshold;
}
