/*
 * The deadline detector over a scripted process. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_DEADLINE_RIG_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_DEADLINE_RIG_H

#include "detectors/detectors.h"
#include "detectors/rig.h"

SCRIPT_API void start(struct rig *r)
{
	rig_init(r, &deadline_detector);
	r->s.stack = rig_stack(r, "charge", "shop");
}

SCRIPT_API void connect_to(struct rig *r, int fd)
{
	script_socket(&r->s, fd);
	script_connect(&r->s, fd, "10.0.0.9", 443, 0);
}

#endif
