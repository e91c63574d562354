/*
 * A scripted client of one connection, whose attempts the retry detector sees. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_CLIENT_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_CLIENT_H

#include "detectors/detectors.h"
#include "detectors/rig.h"

SCRIPT_API void start(struct rig *r)
{
	rig_init(r, &retry_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
	script_socket(&r->s, 5);
	script_connect(&r->s, 5, "10.0.0.9", 443, 0);
}

SCRIPT_API void exchange(struct rig *r, const char *request, const char *answer)
{
	script_write(&r->s, 5, request);
	script_took(&r->s, SCRIPT_MSEC);
	script_read(&r->s, 5, answer);
}

/* `n` failed attempts with the same gap. */
SCRIPT_API void failures(struct rig *r, const char *request, unsigned int n, uint64_t gap)
{
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			script_pass(&r->s, gap);
		exchange(r, request, RIG_503);
	}
}

/* Row of the section with this operation; -1 if none. */
SCRIPT_API int row(const struct rig *r, const char *operation)
{
	for (size_t i = 0; i < json_array_size(r->section); i++) {
		if (!strcmp(rig_text(r, i, "operation", NULL), operation))
			return (int)i;
	}
	return -1;
}

#endif
