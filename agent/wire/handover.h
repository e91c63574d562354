/*
 * How a process that may not open the session's memory by its path (it runs as another user) gets it from the agent instead.
 *
 * May be included by preload/ and agent/commands. The agent listens on a SOCK_SEQPACKET socket in the abstract namespace, named
 * WIRE_HANDOVER_PREFIX followed by the value of GAPSCOPE_SESSION. Who connects sends nothing: the agent looks at the peer's process
 * (SO_PEERCRED), and only if it descends from the agent itself answers with one byte that carries the memfd (SCM_RIGHTS).
 */
#ifndef GAPSCOPE_WIRE_HANDOVER_H
#define GAPSCOPE_WIRE_HANDOVER_H

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WIRE_HANDOVER_PREFIX "gapscope"
#define WIRE_HANDOVER_WAIT_MS 300 /* a new program waits for the agent no longer than this; then it runs unwatched */

/* The socket's address for a session path. Returns its length, 0 if the path is too long. */
static inline socklen_t wire_handover_address(const char *session, struct sockaddr_un *ret)
{
	const size_t prefix = sizeof(WIRE_HANDOVER_PREFIX) - 1;
	const size_t len = strlen(session);

	if (1 + prefix + len > sizeof(ret->sun_path))
		return 0;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path + 1, WIRE_HANDOVER_PREFIX, prefix);
	memcpy(ret->sun_path + 1 + prefix, session, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + prefix + len);
}

#endif
