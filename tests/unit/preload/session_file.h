/*
 * For tests and benchmarks of the shim: a session's memory in a memfd with a valid header, and a reader that empties the rings and
 * counts. The caller owns both; everything runs on the caller's thread, or on one thread that it gives the reader.
 */
#ifndef GAPSCOPE_TESTS_SESSION_FILE_H
#define GAPSCOPE_TESTS_SESSION_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "wire/ring.h"

#define SESSION_EVENTS 256U

struct session_file {
	int fd;
	struct wire_header *header;
	char path[64];                  /* for GAPSCOPE_SESSION */
	uint64_t count[SESSION_EVENTS]; /* records read, by event */
	uint64_t records;
	uint64_t corrupt;
	/* called for each record, if set; data is record->data_len bytes */
	void (*each)(void *ctx, const struct wire_thread *thread, const struct wire_record *record, const uint8_t *data);
	void *ctx;
};

static inline uint64_t session_now(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
#endif
}

static inline void session_beat(struct session_file *s)
{
	atomic_store(&s->header->heartbeat, session_now());
}

static inline int session_open(struct session_file *s, uint32_t processes, uint32_t threads, uint32_t ring_bytes)
{
	struct wire_header h = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
#if defined(__x86_64__)
		.clock = WIRE_CLOCK_TSC,
#else
		.clock = WIRE_CLOCK_MONOTONIC,
#endif
		.process_max = processes,
		.thread_max = threads,
		.ring_bytes = ring_bytes,
		.policy_fds = WIRE_POLICY_FDS,
		.process_off = 4096,
		.policy_socket = WIRE_POLICY_HEAD_256,
		.policy_stdio = WIRE_POLICY_SINK,
		.policy_logfile = WIRE_POLICY_SINK,
		.policy_pipe = WIRE_POLICY_SIZES,
		.policy_pair = WIRE_POLICY_SIZES,
		.stale_ticks = UINT64_MAX / 2,
		.slow_ticks = UINT64_MAX / 2,
		.agent_pid = (uint32_t)getpid(),
	};

	memset(s, 0, sizeof(*s));
	h.thread_off = (h.process_off + processes * sizeof(struct wire_process) + 4095) & ~4095ULL;
	h.policy_off = (h.thread_off + threads * sizeof(struct wire_thread) + 4095) & ~4095ULL;
	h.renewed_off = (h.policy_off + (uint64_t)processes * h.policy_fds + 4095) & ~4095ULL;
	h.ring_off = h.renewed_off + (uint64_t)processes * WIRE_RENEWED * sizeof(uint64_t);
	h.size_bytes = h.ring_off + (uint64_t)threads * ring_bytes;
	atomic_init(&h.enabled, 1);
	atomic_init(&h.heartbeat, session_now());
	s->fd = memfd_create("gapscope-test", MFD_CLOEXEC);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)h.size_bytes) != 0)
		return -1;
	s->header = mmap(NULL, h.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->header == MAP_FAILED)
		return -1;
	memcpy((void *)s->header, &h, sizeof(h));
	snprintf(s->path, sizeof(s->path), "/proc/%d/fd/%d", getpid(), s->fd);
	return 0;
}

static inline void session_close(struct session_file *s)
{
	munmap(s->header, s->header->size_bytes);
	close(s->fd);
}

/* Read what thread slot i holds. */
static inline uint64_t session_drain_one(struct session_file *s, uint32_t i)
{
	struct wire_thread *t = wire_thread_at(s->header, i);
	const uint8_t *bytes = wire_ring_at(s->header, i);
	const uint64_t mask = s->header->ring_bytes - 1;
	uint64_t n = 0;

	while (wire_ring_ready(t)) {
		static uint8_t data[WIRE_DATA_MAX];
		struct wire_record r;

		wire_ring_get(t, bytes, mask, 0, &r, sizeof(r));
		if (!r.units || (uint64_t)r.units * WIRE_UNIT > wire_ring_ready(t) || r.data_len > WIRE_DATA_MAX ||
		    r.event >= SESSION_EVENTS) {
			s->corrupt++;
			wire_ring_consume(t, wire_ring_ready(t));
			break;
		}
		wire_ring_get(t, bytes, mask, WIRE_UNIT, data, r.data_len);
		if (s->each)
			s->each(s->ctx, t, &r, data);
		s->count[r.event]++;
		s->records++;
		n++;
		wire_ring_consume(t, (uint64_t)r.units * WIRE_UNIT);
	}
	return n;
}

/* Read all rings once; slots that are given back become free. */
static inline uint64_t session_drain(struct session_file *s)
{
	uint64_t n = 0;

	session_beat(s);
	for (uint32_t i = 0; i < s->header->thread_max; i++) {
		struct wire_thread *t = wire_thread_at(s->header, i);
		const uint32_t state = atomic_load(&t->state);

		if (state == WIRE_SLOT_FREE)
			continue;
		n += session_drain_one(s, i);
		if (state == WIRE_SLOT_DRAIN && !wire_ring_ready(t))
			atomic_store(&t->state, WIRE_SLOT_FREE);
	}
	return n;
}

static inline uint64_t session_published(const struct session_file *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->header->thread_max; i++)
		n += wire_thread_at(s->header, i)->published;
	return n;
}

/* Losses of one cause, or of all with cause = WIRE_LOSS_CAUSES. */
static inline uint64_t session_lost(const struct session_file *s, uint32_t cause)
{
	uint64_t n = 0;

	for (uint32_t k = 0; k < WIRE_LOSS_SLOTS; k++) {
		if (cause != WIRE_LOSS_CAUSES && cause != k)
			continue;
		n += atomic_load(&s->header->lost[k]);
		for (uint32_t i = 0; i < s->header->thread_max; i++)
			n += atomic_load(&wire_thread_at(s->header, i)->lost[k]);
		for (uint32_t i = 0; i < s->header->process_max; i++)
			n += atomic_load(&wire_process_at(s->header, i)->lost[k]);
	}
	return n;
}

#endif
