/*
 * Samples: what the agent reads about once a second of the resources of watched processes (agent/sample), as data of events. Detectors and
 * metrics see nothing else of /proc, so a recording replays to the same findings.
 */
#ifndef GAPSCOPE_CORE_SAMPLES_H
#define GAPSCOPE_CORE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a descriptor is, by where its link in /proc/PID/fd leads. */
enum sample_fd {
	SAMPLE_FD_SOCKET,
	SAMPLE_FD_PIPE,
	SAMPLE_FD_FILE,
	SAMPLE_FD_DEVICE,
	SAMPLE_FD_EPOLL,
	SAMPLE_FD_EVENT, /* eventfd, timerfd, signalfd, inotify, and other anonymous ones */
	SAMPLE_FD_KINDS
};

/* States of TCP sockets as the kernel numbers them (include/net/tcp_states.h). */
enum { SAMPLE_ESTABLISHED = 1, SAMPLE_SYN_SENT = 2, SAMPLE_CLOSE_WAIT = 8, SAMPLE_LISTEN = 10 };

#define SAMPLE_UNKNOWN UINT64_MAX /* a number that could not be read, or a limit that is not set */

/* Data of SAMPLE_PROCESS. */
struct sample_process {
	uint64_t user_ns, system_ns; /* processor time so far, of all threads */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t threads;
	uint64_t fds, fd_limit; /* fds: SAMPLE_UNKNOWN where /proc does not let us */
	uint64_t fd_kinds[SAMPLE_FD_KINDS];
};

/* Data of SAMPLE_SOCKET: of listeners, of sockets in CLOSE_WAIT, and of those that had to send again. */
struct sample_socket {
	uint64_t queue;       /* listener: connections that wait to be accepted; else bytes that wait to be read */
	uint64_t queue_max;   /* listener: as many may; else 0 */
	uint64_t drops;       /* listener: segments that were dropped so far, SAMPLE_UNKNOWN if the kernel does not say */
	uint64_t retransmits; /* segments sent again so far */
	uint64_t port;        /* of our end */
	/* Listener: of one, the kernel counts drops of any cause, those that TCP_DEFER_ACCEPT makes, for each connection, too. So of all
	 * listeners of its network namespace so far: times that a queue was full, SAMPLE_UNKNOWN if the kernel does not say, and all drops. */
	uint64_t net_overflows, net_drops;
};

/* Reads what an event of this kind brings; recordings of before know no overflows. False: it is cut off. */
static inline bool sample_socket_of(struct sample_socket *ret, const void *data, size_t len)
{
	if (len < offsetof(struct sample_socket, net_overflows))
		return false;
	ret->net_overflows = ret->net_drops = SAMPLE_UNKNOWN;
	memcpy(ret, data, len < sizeof *ret ? offsetof(struct sample_socket, net_overflows) : sizeof *ret);
	return true;
}

/* Data of SAMPLE_TCP: what happened so far to connections with a peer, since the probes in the kernel watch. */
struct sample_tcp {
	uint64_t established;
	uint64_t connect_failed; /* refused, unreachable, timed out */
	uint64_t reset;          /* by the other side */
	uint64_t timed_out;      /* given up by the kernel: nothing was acknowledged for too long */
	uint64_t closed;         /* any other end */
	uint64_t retransmits;    /* segments sent again */
	uint64_t syn_again;      /* of these, attempts to connect */
	uint8_t address[28];     /* struct sockaddr_in or _in6 of the peer; zeroes where all clients of a server are meant */
	uint8_t pad[4];
};

/* Data of SAMPLE_LIFE: processes of the service so far, since the probes in the kernel watch. */
struct sample_life {
	uint64_t forks, execs, exits, killed;
	uint64_t lost_processes, lost_peers; /* for want of room */
};

/* Data of SAMPLE_MEMORY: of the nearest control group with a limit. */
struct sample_memory {
	uint64_t used_bytes;  /* without the page cache, which is given back when needed */
	uint64_t limit_bytes; /* SAMPLE_UNKNOWN: none */
	uint64_t kills;       /* times that it ran out of memory so far, SAMPLE_UNKNOWN if not told */
	uint64_t stall_us;    /* time that all of it stood still for want of memory so far (PSI), SAMPLE_UNKNOWN if not told */
};

#endif
