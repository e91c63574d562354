/*
 * The deadline detector over a scripted process. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_DEADLINE_RIG_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_DEADLINE_RIG_H

#include <errno.h>

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

/* A connection from before anybody watched. */
SCRIPT_API void connected_before(struct rig *r, int fd)
{
	const struct sockaddr_in peer = script_address("10.0.0.9", 443);

	script_event(&r->s, (struct event){.id = WIRE_FD_KIND,
					   .fd = fd,
					   .a0 = WIRE_FD_SOCKET,
					   .a1 = (uint64_t)WIRE_ROLE_CLIENT << WIRE_ROLE_SHIFT,
					   .data = (const uint8_t *)&peer,
					   .data_len = sizeof peer});
}

/* Another thread's wait for a thread ran out. */
SCRIPT_API void waited_in_vain(struct rig *r, uint32_t tid, uint64_t t0, uint64_t t1, uint64_t limit)
{
	script_event(&r->s,
		     (struct event){.id = WIRE_COND_WAIT, .tid = tid, .fd = -1, .err = ETIMEDOUT, .t0 = t0, .t1 = t1, .a1 = limit});
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
