/*
 * How detectors put numbers, times and call sites into words and JSON. No state; the session's thread.
 */
#include <stdio.h>
#include <string.h>

#include "detectors/evidence.h"

json_t *evidence_number(double value)
{
	double scaled = value * 1000.0;

	if (scaled > 9.0e15 || scaled < -9.0e15)
		return json_real(value);
	return json_real((double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 1000.0);
}

json_t *evidence_seconds(uint64_t ns)
{
	const uint64_t ms = (ns + NS_PER_MS / 2) / NS_PER_MS;

	return json_real((double)ms / 1000.0);
}

uint64_t evidence_option_ns(double seconds)
{
	return (uint64_t)(seconds * (double)NS_PER_S);
}

const char *evidence_site(const struct stacks *s, uint32_t stack, char *buf, size_t size)
{
	return frame_text(stacks_site(s, stack), buf, size);
}

uint64_t evidence_hash(uint64_t seed, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ p[i]) * 1099511628211ULL;
	return seed;
}

uint64_t evidence_site_hash(const struct stacks *s, uint32_t stack)
{
	const struct frame *f = stacks_site(s, stack);
	uint64_t h = EVIDENCE_HASH_SEED;

	if (!f)
		return 0;
	if (f->module)
		h = evidence_hash(h, f->module, strlen(f->module));
	if (f->function)
		h = evidence_hash(h, f->function, strlen(f->function));
	else
		h = evidence_hash(h, &f->offset, sizeof f->offset);
	return h ? h : 1;
}

const char *evidence_duration(uint64_t ns, char *buf, size_t size)
{
	if (ns < NS_PER_S)
		snprintf(buf, size, "%llu ms", (unsigned long long)((ns + NS_PER_MS / 2) / NS_PER_MS));
	else
		snprintf(buf, size, "%.1f s", (double)ns / (double)NS_PER_S);
	return buf;
}
