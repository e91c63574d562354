/*
 * Which processes are meant: by number, name, listening port, cgroup, systemd unit or container label; and their children. Any thread; looks only.
 */
#ifndef GAPSCOPE_ATTACH_FIND_H
#define GAPSCOPE_ATTACH_FIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FIND_MAX 256U /* processes of one target; the shared memory has as many slots */

struct find_query {
	pid_t pid;          /* 0 = not given; of these one is */
	const char *name;   /* comm, or the base name of the program's file */
	uint32_t port;      /* TCP, in our network namespace */
	const char *cgroup; /* path below the cgroup file system, or with it */
	const char *label;  /* of a container: "KEY" or "KEY=VALUE" */
	const char *unit;   /* "shop.service"; ".service" may be left out */
};

struct find_result {
	pid_t pids[FIND_MAX]; /* parents before their children */
	size_t n;
	size_t more; /* found, but no room */
};

/* 0, or -ENOENT or another -errno with one line in err. */
int find_target(const struct find_query *q, struct find_result *ret, char *err, size_t err_size);
/* Add what has been forked meanwhile by processes of the result; how many came. */
size_t find_children(struct find_result *r);

#endif
