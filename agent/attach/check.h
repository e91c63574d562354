/*
 * Can the shim enter this process, and if not, why not? Looks only; nothing in the process is touched. Any thread.
 */
#ifndef GAPSCOPE_ATTACH_CHECK_H
#define GAPSCOPE_ATTACH_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct check_verdict {
	bool watchable; /* the shim can enter */
	bool other_way; /* it cannot, but system call probes (eBPF) would see this process */
	char why[256];  /* one line, if it is not watchable */
};

void check_process(pid_t pid, struct check_verdict *ret);

#endif
