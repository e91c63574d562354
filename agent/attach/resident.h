/*
 * What of ours lies in a process already: a shim that an earlier attach left there (or LD_PRELOAD brought), the memory of a session.
 */
#ifndef GAPSCOPE_ATTACH_RESIDENT_H
#define GAPSCOPE_ATTACH_RESIDENT_H

#include <stdbool.h>

#include "attach/elf.h"

#define RESIDENT_MEMFD "gapscope-shim" /* name of the memfd that an injected library is loaded from */

struct resident {
	uint64_t libc; /* where libc lies; 0 = there is none */
	uint64_t libc_end;
	bool musl;
	unsigned int copies;     /* shims, of whatever build */
	uint64_t shim;           /* the one of the wanted build; 0 = there is none */
	uint64_t attach, detach; /* its entries */
	uint64_t session;        /* a mapping of a session's memory; 0 = none */
};

/* Look at a process. With build_id_len 0 any shim that understands our calls will do. 0 or -errno. */
int resident_find(pid_t pid, int mem, const uint8_t *build_id, size_t build_id_len, struct resident *ret);
/* The agent that watches this process, 0 if none lives. */
pid_t resident_agent(pid_t pid);

#endif
