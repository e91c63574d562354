/*
 * The shared memory between the shim (one or many processes) and the agent: one memfd a session, made by the agent.
 *
 * May be included by preload/, agent/ingest, agent/attach and their tests.
 *
 *   0            struct wire_header                    one page: magic, sizes, clock, kill switch, defaults
 *   process_off  struct wire_process[process_max]      one per watched process image (claimed by CAS on state)
 *   thread_off   struct wire_thread[thread_max]        one per watched thread: counters, in-flight slot, ring indices
 *   policy_off   uint8_t[process_max][policy_fds]      one byte per descriptor: enum wire_policy
 *   renewed_off  uint64_t[process_max][WIRE_RENEWED]   when descriptors began, in ticks
 *   ring_off     uint8_t[thread_max][ring_bytes]       one SPSC ring per thread slot
 *
 * Who writes what: the agent writes the header, `tail`, `tell_opens`, `policy` (shared with the shim: last writer wins) and frees slots; the
 * shim writes everything else. A process that cannot map all of it maps a prefix and uses only the rings inside it.
 * Pages that nobody touched cost nothing: the memfd is sparse.
 */
#ifndef GAPSCOPE_WIRE_SHARED_H
#define GAPSCOPE_WIRE_SHARED_H

#include <stdatomic.h>

#include "wire/fault.h"
#include "wire/record.h"

#define WIRE_MAGIC 0x3145504f43535047ULL /* "GPSCOPE1", little endian */
#define WIRE_VERSION 1U

/* Environment of a watched process. */
#define WIRE_ENV_SESSION "GAPSCOPE_SESSION" /* a path that opens the session's memfd, /proc/PID/fd/N */

/* Named limits; `run --rings`, `--ring-size` change the defaults, these bound them. */
#define WIRE_PROCESS_MAX_DEFAULT 256U
#define WIRE_THREAD_MAX_DEFAULT 512U
#define WIRE_POLICY_FDS 65536U
#define WIRE_RING_BYTES_DEFAULT (4U * 1024U * 1024U)
#define WIRE_RING_BYTES_MIN 4096U
#define WIRE_RING_BYTES_MAX (16U * 1024U * 1024U)
#define WIRE_DATA_MAX 16384U   /* captured bytes a record, at most */
#define WIRE_STACK_BYTES 4096U /* stack bytes a record, at most */
#define WIRE_POLL_MAX 64U      /* descriptors of one poll or select that are listed */
#define WIRE_EPOLL_MAX 64U     /* ready events of one epoll_wait that are listed */
#define WIRE_LOSS_SLOTS 16U    /* room for causes to come */
#define WIRE_RENEWED 512U      /* of a process: places for when descriptors began */

enum wire_clock { WIRE_CLOCK_TSC = 0, WIRE_CLOCK_MONOTONIC = 1 };

/* What to capture on a descriptor. The shim sets a first value at creation or first use, the agent lowers or raises it. */
enum wire_policy {
	WIRE_POLICY_UNKNOWN = 0, /* not looked at yet: the shim classifies it with one fstat at first use */
	WIRE_POLICY_NONE =
		1, /* reads and writes of it are not published at all (regular files, terminals) and not counted as calls */
	WIRE_POLICY_SIZES = 2, /* publish, without bytes */
	WIRE_POLICY_HEAD_256 = 3,
	WIRE_POLICY_HEAD_1K = 4,
	WIRE_POLICY_HEAD_4K = 5,
	WIRE_POLICY_SINK = 6,     /* a log: all the bytes up to WIRE_DATA_MAX a call; reads are not published */
	WIRE_POLICY_HEAD_16K = 7, /* up to WIRE_DATA_MAX, with the call's end: answers made of many small messages */
	/* The shim's own, of what the agent was not told: neither is its close published. */
	WIRE_POLICY_OPENED = 8, /* opened for reading only, and not looked at yet: otherwise as UNKNOWN */
	WIRE_POLICY_FILE = 9,   /* the same, and it is a regular file: otherwise as NONE */
};

struct wire_header {
	uint64_t magic;
	uint32_t version;
	uint32_t clock; /* enum wire_clock */
	uint64_t size_bytes;
	uint32_t process_max;
	uint32_t thread_max;
	uint32_t ring_bytes; /* power of two */
	uint32_t policy_fds;
	uint64_t process_off;
	uint64_t thread_off;
	uint64_t policy_off;
	uint64_t renewed_off;
	uint64_t ring_off;
	_Atomic uint32_t enabled;   /* the kill switch: 0 = every hook passes through */
	_Atomic uint32_t stacks;    /* 0 = take no stack snapshots */
	_Atomic uint64_t heartbeat; /* ticks; the agent renews it ≥ once a second; with a full ring and no beat for
	                                  stale_ticks the shim switches itself off */
	uint64_t stale_ticks;
	uint64_t slow_ticks;    /* a call longer than this takes a stack snapshot */
	uint8_t policy_socket;  /* enum wire_policy for new sockets */
	uint8_t policy_stdio;   /* for fds 1 and 2 that are a pipe, a socket or a file */
	uint8_t policy_logfile; /* for files opened for appending, or named like a log */
	uint8_t policy_pipe;    /* for other pipes and fifos */
	uint8_t policy_pair;    /* for both ends of a socketpair: no dependency of the service; 0 = as policy_socket */
	uint8_t rseq_tells;     /* 1: this kernel tells who has waited in a system call (rseq.h) */
	uint8_t pad[2];
	uint32_t agent_pid;
	_Atomic uint32_t alloc_mean;            /* sample an allocation every so many bytes, on average; 0 = watch none */
	_Atomic uint64_t claim_hint;            /* next thread slot to try */
	_Atomic uint64_t lost[WIRE_LOSS_SLOTS]; /* losses of threads and processes that have no slot */
	struct wire_fault fault;                /* proof mode only (fault.h) */
};
static_assert(sizeof(struct wire_header) <= 4096, "one page");

enum wire_slot_state {
	WIRE_SLOT_FREE = 0,
	WIRE_SLOT_CLAIMED = 1, /* being set up */
	WIRE_SLOT_LIVE = 2,
	WIRE_SLOT_DRAIN = 3, /* its thread or process is gone; the agent empties the ring and frees it */
};

struct wire_process {
	_Atomic uint32_t state;   /* enum wire_slot_state */
	uint32_t pid;             /* in the process's own pid namespace */
	uint32_t generation;      /* counts claims, so that a reused slot shows */
	_Atomic uint32_t enabled; /* set 1 by the shim; 0 = this process passes through */
	_Atomic uint32_t fd_high; /* highest descriptor with a policy byte set, + 1 */
	uint32_t pid_ns; /* inode number of that namespace if the agent put the shim in, and it is not the agent's; else 0 */
	uint32_t parent; /* of a forked child: the pid of its parent, in the same namespace; else 0 */
	/* By the agent: what is opened for reading only, and events, are told, too: descriptors grow, and nobody knows where they come from. */
	_Atomic uint32_t tell_opens;
	_Atomic uint64_t lost[WIRE_LOSS_SLOTS]; /* losses of threads without a ring */
};
static_assert(sizeof(struct wire_process) == 160, "each program that begins looks at all of them");

/* The call that a thread is in right now. Written before a call that may wait, `event` last; cleared (event = 0) after it. */
struct wire_inflight {
	_Atomic uint32_t event; /* enum wire_event, 0 = none; release-stored last, acquire-loaded first */
	int32_t fd;             /* or -1 */
	uint64_t t0;            /* ticks */
	int64_t limit_ns;       /* -1 infinite or governed by a socket option; else the argument */
	uint32_t site;
	uint32_t pad;
};
static_assert(sizeof(struct wire_inflight) == 32, "");

struct wire_thread {
	/* line 0: identity, written at claim */
	_Atomic uint32_t state; /* enum wire_slot_state */
	uint32_t pid;
	uint32_t tid;
	uint32_t process; /* index of its struct wire_process */
	uint32_t generation;
	uint32_t pad0[11];
	/* line 1: the producer's */
	_Atomic uint64_t head; /* bytes ever published; release-stored last */
	uint64_t published;    /* records ever published, never reset */
	uint32_t seq;          /* of the next record */
	uint32_t pad1;
	struct wire_inflight inflight;
	uint64_t truncated_bytes; /* bytes that a policy wanted and a record could not hold */
	/* lines 2-3: losses, never reset */
	_Atomic uint64_t lost[WIRE_LOSS_SLOTS];
	/* line 4: the consumer's */
	_Atomic uint64_t tail; /* bytes ever consumed */
	uint8_t pad2[56];
};
static_assert(sizeof(struct wire_thread) == 320, "five cache lines");
static_assert(offsetof(struct wire_thread, head) == 64, "");
static_assert(offsetof(struct wire_thread, lost) == 128, "");
static_assert(offsetof(struct wire_thread, tail) == 256, "");
static_assert(WIRE_LOSS_CAUSES <= WIRE_LOSS_SLOTS, "");

static inline struct wire_process *wire_process_at(struct wire_header *h, uint32_t i)
{
	return (struct wire_process *)((char *)h + h->process_off) + i;
}

static inline struct wire_thread *wire_thread_at(struct wire_header *h, uint32_t i)
{
	return (struct wire_thread *)((char *)h + h->thread_off) + i;
}

static inline _Atomic uint8_t *wire_policy_at(struct wire_header *h, uint32_t process)
{
	return (_Atomic uint8_t *)((char *)h + h->policy_off + (uint64_t)process * h->policy_fds);
}

/* When a number was last given to a new descriptor, or one whose number has the same place here. The agent's word on a connection comes
 * some milliseconds late: one that has ended meanwhile must not have its say on what has its number now. */
static inline _Atomic uint64_t *wire_renewed_at(struct wire_header *h, uint32_t process, int fd)
{
	return (_Atomic uint64_t *)((char *)h + h->renewed_off) + (size_t)process * WIRE_RENEWED + (uint32_t)fd % WIRE_RENEWED;
}

static inline uint8_t *wire_ring_at(struct wire_header *h, uint32_t thread)
{
	return (uint8_t *)h + h->ring_off + (uint64_t)thread * h->ring_bytes;
}

#endif
