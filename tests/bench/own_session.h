/*
 * For benchmarks: the session under which this very process is watched, seen from inside. It switches the hooks on and off, waits until the agent
 * has emptied the ring, and tells what was lost. Included by one file only; for one thread.
 */
#ifndef GAPSCOPE_TESTS_BENCH_OWN_SESSION_H
#define GAPSCOPE_TESTS_BENCH_OWN_SESSION_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/shared.h"

struct own_session {
	struct wire_header *header;
	struct wire_thread *thread;
	_Atomic uint8_t *policy;
};

/* 0, or -ENOENT: this process is not watched. */
static inline int own_session_find(struct own_session *s)
{
	const char *const path = getenv(WIRE_ENV_SESSION);
	const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -ENOENT;
	s->header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (s->header == MAP_FAILED)
		return -errno;
	for (uint32_t i = 0; i < s->header->thread_max; i++) {
		struct wire_thread *const t = wire_thread_at(s->header, i);

		if (atomic_load(&t->state) == WIRE_SLOT_LIVE && t->tid == (uint32_t)getpid()) {
			s->thread = t;
			s->policy = wire_policy_at(s->header, t->process);
			return 0;
		}
	}
	return -ENOENT;
}

/* The kill switch, as the agent throws it. */
static inline void own_session_switch(struct own_session *s, bool on)
{
	atomic_store(&s->header->enabled, on);
}

/* Until three quarters of the ring are free: then a batch loses nothing, whenever the agent comes to run. */
static inline void own_session_wait(const struct own_session *s)
{
	while (atomic_load(&s->thread->head) - atomic_load(&s->thread->tail) > s->header->ring_bytes / 4)
		sched_yield();
}

static inline uint64_t own_session_lost(const struct own_session *s)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < WIRE_LOSS_SLOTS; i++)
		lost += atomic_load(&s->thread->lost[i]);
	return lost;
}

#endif
