/*
 * TCP and the life of processes, as the kernel sees them (bpf/tcp.bpf.c): for any service, whichever way it is watched, as long as the agent may
 * load probes. They stand at rare events only, on the way of no system call.
 *
 * The programs belong to this process's descriptors: when it ends, however it does, the kernel unloads them. After tcp_probes_open no call here
 * needs a privilege. Owner: a command; its main thread.
 */
#ifndef GAPSCOPE_PROBES_TCP_H
#define GAPSCOPE_PROBES_TCP_H

#include <stddef.h>
#include <stdint.h>

#include "core/samples.h"
#include "wire/record.h"

struct tcp_probes;

/* Load and attach. 0, or -errno with one line in why. */
int tcp_probes_open(struct tcp_probes **ret, char *why, size_t size);
void tcp_probes_free(struct tcp_probes *p);
/* A process of the service: what it connects and listens on from now on, and what it forks, is seen. */
void tcp_probes_watch(struct tcp_probes *p, uint32_t pid);
/* A connection of the service that may have been there before, by the socket's cookie. */
void tcp_probes_socket(struct tcp_probes *p, uint64_t cookie, enum wire_role role);
/* A port that the service listens on, in the network namespace with this inode. */
void tcp_probes_listener(struct tcp_probes *p, uint32_t net, uint16_t port);

struct tcp_sink {
	void (*peer)(void *ctx, enum wire_role role, const struct sample_tcp *so_far);
	void (*life)(void *ctx, const struct sample_life *so_far);
	void *ctx;
};

/* Tell what has changed since the last time. */
void tcp_probes_read(struct tcp_probes *p, const struct tcp_sink *to);

#endif
