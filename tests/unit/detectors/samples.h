/*
 * Samples as events of a script: what the agent reads of /proc and sock_diag, said by a test. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_DETECTORS_SAMPLES_H
#define GAPSCOPE_TESTS_UNIT_DETECTORS_SAMPLES_H

#include "core/samples.h"
#include "detectors/detectors.h"
#include "detectors/rig.h"
#include "test.h"

SCRIPT_API void sample_process(struct script *s, const struct sample_process *p)
{
	script_event(s, (struct event){.id = WIRE_SAMPLE_PROCESS, .fd = -1, .data = (const uint8_t *)p, .data_len = sizeof *p});
}

/* Only threads and descriptors matter. */
SCRIPT_API void sample_counts(struct script *s, uint64_t threads, uint64_t fds)
{
	const struct sample_process p = {
		.threads = threads, .fds = fds, .fd_limit = 1024, .fd_kinds = {[SAMPLE_FD_SOCKET] = fds, [SAMPLE_FD_PIPE] = fds}};

	sample_process(s, &p);
}

SCRIPT_API void sample_files(struct script *s, const char *pattern, uint64_t n, enum sample_fd kind)
{
	script_event(s, (struct event){.id = WIRE_SAMPLE_FILES,
				       .fd = -1,
				       .a0 = n,
				       .a1 = kind,
				       .data = (const uint8_t *)pattern,
				       .data_len = (uint32_t)strlen(pattern)});
}

/* The inode of a descriptor's socket is a number made of it. */
SCRIPT_API void sample_socket(struct script *s, int fd, uint64_t state, struct sample_socket socket)
{
	script_event(s, (struct event){.id = WIRE_SAMPLE_SOCKET,
				       .fd = fd,
				       .a0 = state,
				       .a1 = 1000U + (uint64_t)fd,
				       .data = (const uint8_t *)&socket,
				       .data_len = sizeof socket});
}

SCRIPT_API void sample_memory(struct script *s, uint64_t group, struct sample_memory m)
{
	script_event(
		s,
		(struct event){.id = WIRE_SAMPLE_MEMORY, .fd = -1, .a0 = group, .data = (const uint8_t *)&m, .data_len = sizeof m});
}

/* A second goes by. */
SCRIPT_API void sample_second(struct script *s)
{
	script_pass(s, SCRIPT_SEC);
	script_tick(s);
}

#endif
