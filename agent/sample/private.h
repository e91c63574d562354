/*
 * What the files of this layer share. Private to agent/sample; one thread.
 */
#ifndef GAPSCOPE_SAMPLE_PRIVATE_H
#define GAPSCOPE_SAMPLE_PRIVATE_H

#include "core/limits.h"
#include "core/samples.h"
#include "sample/sample.h"

#define SAMPLE_TEXT 8192U /* the longest of the files that are read */

/* A socket that a watched process has open. */
struct sample_link {
	uint64_t inode;
	uint32_t pid;
	int32_t fd;
};

/* A socket for sock_diag in one network namespace. */
struct sample_net {
	uint64_t inode; /* of the namespace, 0 = the place is free */
	int fd;         /* -1: we may not enter it */
};
#define SAMPLE_NETS 16U

/* A listener that is watched: told once the whole dump was read. */
struct sample_listener {
	const struct sample_link *link;
	struct sample_socket socket;
};
#define SAMPLE_LISTENERS 256U

struct sampler {
	const char *root;
	uint64_t next_ns;
	struct sample_link *links; /* sorted by inode once all processes were looked at */
	size_t links_n, links_room;
	struct sample_net nets[SAMPLE_NETS];
	struct sample_listener listeners[SAMPLE_LISTENERS]; /* of this dump */
	size_t listeners_n;
	uint64_t drops; /* of all listeners of this dump, ours or not */
	sample_found_fn found;
	void *found_ctx;
	/* of the round */
	uint64_t now_ns;
	sample_fn fn;
	void *ctx;
};

/* sample.c: an event of this round. */
void sample_tell(struct sampler *s, struct event e, const void *data, size_t len);

/* read.c */
/* A file under the root as text, its end cut off where it does not fit. 0 or -errno. */
int read_text(const char *root, const char *path, char *text, size_t size);
/* The number behind `key` at the start of a line, SAMPLE_UNKNOWN if there is none. */
uint64_t read_number_after(const char *text, const char *key);
/* The number in the column `name` of a table of two lines that both begin with `head` (/proc/net/netstat), SAMPLE_UNKNOWN if there is none. */
uint64_t read_number_of_column(const char *text, const char *head, const char *name);

/* sample_process.c, sample_fds.c: of one process. fds_read fills in what the descriptors say, tells groups of them, and notes sockets. */
void sample_one_process(struct sampler *s, uint32_t pid);
void sample_fds(struct sampler *s, uint32_t pid, struct sample_process *p);

/* sample_zombies.c: the children of one process that ended and that it did not wait for. */
void sample_zombies(struct sampler *s, uint32_t pid);

/* sample_sockets.c, sample_memory.c: of all processes of the round. */
void sample_sockets(struct sampler *s, const uint32_t *pids, size_t n);
void sample_sockets_done(struct sampler *s);
void sample_memories(struct sampler *s, const uint32_t *pids, size_t n);

#endif
