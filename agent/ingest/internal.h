/*
 * The inside of ingest: shared by its own files only. Everything on the thread that calls ingest_poll.
 *
 *   slots.c  reads rings, places losses, frees thread slots      watch.c  which processes live, PROCESS_GONE
 *   pulse.c  TICK, INFLIGHT, losses nobody else told             ingest.c the poll: read → order → stacks → redaction → out
 *   push.c   records of a second source                         trim.c   room that goes back to producers, and pages to the kernel
 *   pids.c   what a container's processes are called out here   look_pace.c  when to look again
 */
#ifndef GAPSCOPE_INGEST_INTERNAL_H
#define GAPSCOPE_INGEST_INTERNAL_H

#include <stdbool.h>

#include "ingest/alloc_pace.h"
#include "ingest/callsite.h"
#include "ingest/clock.h"
#include "ingest/decode.h"
#include "ingest/ingest.h"
#include "ingest/look_pace.h"
#include "ingest/memory.h"
#include "ingest/order.h"
#include "ingest/pids.h"
#include "ingest/redact.h"
#include "ingest/unwatched.h"
#include "sample/sample.h"

/* What we remember of a thread slot. */
struct slot {
	bool known;          /* its present owner was seen */
	uint32_t pid, tid;   /* of its present owner, as the agent knows them */
	uint32_t generation; /* of its present owner */
	uint32_t next_seq;   /* that the next record should have */
	bool seq_known;
	uint64_t last_t1;               /* ns, of its latest record */
	uint64_t read;                  /* records read from it, over all its owners */
	uint64_t corrupt;               /* published, but never read */
	uint64_t told[WIRE_LOSS_SLOTS]; /* losses of it that were made into LOSS events */
	uint64_t held;                  /* bytes of its ring that were read and not given back yet: see trim.h */
	uint64_t wiped;                 /* of these, from the first on; all but the last few hundred records */
	bool soiled;                    /* captured bytes are among those that are not */
	uint64_t given_ns;              /* when some were given back last */
	uint64_t touched;               /* bytes given back since its pages were freed */
	bool keeps;                     /* its ring's pages although it is slow */
};

/* What we remember of a process slot. */
struct watched {
	bool known, gone;
	uint32_t generation;
	uint32_t pid;        /* as the agent knows it (pids.h) */
	uint64_t start_time; /* of the process, field 22 of /proc/PID/stat; 0 = could not be read */
	uint64_t told[WIRE_LOSS_SLOTS];
	uint64_t image_ns;         /* when the program in it began, by its first record that was read */
	uint32_t image_generation; /* of the slot when that was read: image_ns speaks of this owner only */
	uint64_t fds_most, fds_ns; /* descriptors of no connection that were open at most, and when that rose last */
};

struct ingest {
	struct memory memory;
	struct wire_header *shared; /* memory.header */
	struct tick_clock clock;
	struct order *order;
	struct callsites *callsites;
	struct redact *redact;
	struct unwatched unwatched;
	struct sampler *sampler; /* NULL: no samples are wanted */
	uint32_t *sampled;       /* shared->process_max pids, of one round */
	struct counters *counters;
	struct pids *pids;
	struct slot *slots;      /* shared->thread_max of them */
	uint32_t keeping;        /* of them, that keep their pages although they are slow */
	struct watched *watched; /* shared->process_max of them */
	uint32_t threads_high;   /* slots behind this one were never used */
	uint32_t processes_high;
	uint8_t *scratch;    /* one record */
	size_t scratch_used; /* of it, since it was wiped */
	bool stacks;
	uint64_t fullest; /* bytes that waited in one ring when they were read last, at most */
	struct alloc_pace pace;
	uint64_t slow_ticks;   /* handing on the last event, or few events, took so long: look at the rings before the next */
	uint64_t handed_ticks; /* when one of the last few events was handed on */
	uint64_t handed;       /* events without a stack of their own */
	uint64_t now_ns;       /* when this poll began */
	uint64_t next_tick_ns, next_check_ns;
	uint64_t header_told[WIRE_LOSS_SLOTS];
	uint64_t late; /* events that came after the window had passed them */
	bool news;     /* the rings had a program or a call site that is new */
	struct look_pace looks;
	struct {
		void (*fn)(void *ctx, bool drain); /* another source, or NULL */
		void *ctx;
	} on_poll[INGEST_POLLS];
	uint64_t pushed; /* records of the second source */
};

/* Put an event of the agent's own, or of slot `source`, into the window. Takes p over, NULL counts as lost to memory. */
void ingest_hold(struct ingest *in, struct pending *p);

/* Read every ring up to its present head. Returns the number of records. */
size_t slots_read(struct ingest *in);
/* When the oldest send began that is under way and began at `not_before_ns` or later; UINT64_MAX: none is. To be asked before rings are read. */
uint64_t slots_sending_since(const struct ingest *in, uint64_t not_before_ns);
/* Is any ring half full? */
bool slots_pressed(const struct ingest *in);
/* Losses of slots that no later record has told: LOSS events as of now. */
void slots_tell_losses(struct ingest *in);
/* INFLIGHT events for calls older than a second. */
void slots_tell_inflight(struct ingest *in);
/* Free drained slots; with `look`, give up those of threads that no longer exist too (a system call each). */
void slots_reap(struct ingest *in, bool look);
/* The threads of process slot `process` are gone: drain their rings. */
void slots_abandon(struct ingest *in, uint32_t process);
/* Does any thread slot belong to process slot `process`? */
bool slots_in_use(const struct ingest *in, uint32_t process);
/* Bring the session's counters up to the slots' ones. */
void slots_count(struct ingest *in);
/* LOSS event: `more` records of `pid` were lost. */
void slots_lost(struct ingest *in, uint32_t pid, uint32_t tid, uint64_t t1, unsigned int cause, uint64_t more, uint32_t source);

/* Look at processes: find new ones, notice those that died. */
void watch_check(struct ingest *in);
/* A first record was read from process slot `process`: its program began at t1. */
void watch_image(struct ingest *in, uint32_t process, uint64_t t1);
/* Process slot `process` started a new program: slots of the same pid whose program began earlier are history. */
void watch_exec(struct ingest *in, uint32_t process, uint32_t pid);
/* The pid of who has process slot `process` now, as the agent knows it. */
uint32_t watch_pid(struct ingest *in, uint32_t process);
unsigned int watch_live(const struct ingest *in);

/* TICK, INFLIGHT and LOSS events where they are due. */
void pulse(struct ingest *in, bool last);
/* SOURCE_INFO events for programs that were started and never spoke. */
void pulse_unwatched(struct ingest *in, bool last);

#endif
