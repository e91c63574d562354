/*
 * Putting the shim into a running process, and taking it out of use again. A process of its own
 * is the tracer for some milliseconds (supervise.h): whatever becomes of the caller, the target gets its thread back.
 *
 * What stays in the process afterwards: the library, switched off and with no slot leading to it, and a quiet mapping in place of the
 * session's memory. The next attach uses both again.
 */
#ifndef GAPSCOPE_ATTACH_INJECT_H
#define GAPSCOPE_ATTACH_INJECT_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/elf.h"

/* The library to be put in. */
struct inject_shim {
	char path[PATH_MAX];
	int fd; /* a memfd with a copy of it */
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len;
};

struct inject_session {
	int fd;           /* the session's memory */
	const char *path; /* GAPSCOPE_SESSION of programs that the target starts; NULL: they are not watched */
	uint32_t pid_ns;  /* wire_process.pid_ns */
};

struct inject_result {
	uint32_t slots;    /* GOT slots changed */
	uint64_t stall_ns; /* for so long one thread did not run its own code */
	pid_t thread;      /* which */
};

/* 0, or -errno with one line in err. */
int inject_open(const char *path, struct inject_shim *ret, char *err, size_t err_size);
void inject_close(struct inject_shim *s);
int inject_attach(pid_t pid, const struct inject_shim *shim, const struct inject_session *session, struct inject_result *ret,
		  char *err, size_t err_size);
/* -ENOENT: no shim in it. */
int inject_detach(pid_t pid, struct inject_result *ret, char *err, size_t err_size);

#endif
