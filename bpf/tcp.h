/*
 * What the TCP probes in the kernel (tcp.bpf.c) and the agent (agent/probes/tcp.c) share: what happened to connections of watched processes, added
 * up by peer. May be included by bpf/ and agent/probes only.
 */
#ifndef GAPSCOPE_BPF_TCP_H
#define GAPSCOPE_BPF_TCP_H

#ifndef __bpf__
#include <stdint.h>
#endif

#define TCP_SOCKETS 16384U  /* connections of theirs; the one that was quiet for longest gives way */
#define TCP_LISTENERS 1024U /* ports */
#define TCP_PEERS 4096U

enum tcp_role { TCP_CLIENT = 1, TCP_SERVER = 2 }; /* as enum wire_role */

/* Of a server, all clients are one peer: only family and role are set. */
struct tcp_peer {
	uint32_t role;
	uint16_t family;
	uint16_t port;    /* network order */
	uint8_t addr[16]; /* IPv4: the first four */
};

enum tcp_what {
	TCP_ESTABLISHED,
	TCP_CONNECT_FAILED, /* refused, unreachable, timed out */
	TCP_RESET,          /* by the other side */
	TCP_TIMED_OUT,      /* given up by the kernel: nothing was acknowledged for too long */
	TCP_CLOSED,         /* any other end */
	TCP_RETRANSMITS,    /* segments sent again */
	TCP_SYN_AGAIN,      /* of these, attempts to connect that nobody answered */
	TCP_WHATS
};

struct tcp_counts {
	uint64_t n[TCP_WHATS];
};

struct tcp_listener {
	uint32_t net; /* inode of the network namespace */
	uint32_t port;
};

/* Life of watched processes, and what found no room. */
enum tcp_total { TCP_FORKS, TCP_EXECS, TCP_EXITS, TCP_KILLED, TCP_LOST_PEERS, TCP_LOST_PROCESSES, TCP_TOTALS };

#endif
