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

/* An event loop by epoll (descriptor 3) with a pipe to wake it and a connection, descriptor 5. */
SCRIPT_API void connect_in_loop(struct rig *r)
{
	script_epoll_create(&r->s, 3);
	script_event(&r->s, (struct event){.id = WIRE_PIPE, .fd = 20, .a1 = 21});
	script_epoll_ctl(&r->s, 3, EPOLL_CTL_ADD, 20, EPOLLIN);
	connect_to(r, 5);
	script_nonblock(&r->s, 5, true);
	script_epoll_ctl(&r->s, 3, EPOLL_CTL_ADD, 5, EPOLLIN);
}

#endif
