/*
 * The state of the library in one process and in one thread, and what each file of preload/ offers the others.
 *
 * Owner: session.c writes `shim`, thread.c writes `shim_tls`. Every hook reads both. Nothing here allocates, locks or logs.
 * All memory is either the session's (wire/shared.h) or one private mapping, `struct shim_private`, that the kernel empties in a
 * forked child (MADV_WIPEONFORK): so a child that no hook announced still learns that it is new.
 */
#ifndef GAPSCOPE_PRELOAD_SHIM_H
#define GAPSCOPE_PRELOAD_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/cpu.h"
#include "wire/ring.h"
#include "wire/rseq.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define SHIM_SITE_WAYS 8U    /* places of a set: a site that finds none is not told where it lies */
#define SHIM_SITES_SHIFT 24U /* so many bits of a key do not choose the set */
#define SHIM_SITES (SHIM_SITE_WAYS << (32U - SHIM_SITES_SHIFT)) /* call sites that a thread remembers */
#define SHIM_SCRATCH_BYTES 2048U                                /* longest text that is formatted a second time */
#define SHIM_MODULES 512U                                       /* loaded objects that are announced */
#define SHIM_PATH_BYTES 4096U
#define HOOK_NEAR 3 /* hooks whose real functions lie in the first cache line of struct shim: the first ones of hooks.def */

/* A call site whose stack was sent, and how often it may still be passed until the stack is sent again. */
struct shim_site {
	uint32_t key;
	int32_t left;
	uint32_t gap; /* what left starts from: twice as much each time */
	uint32_t pad;
};

/* Private memory of a thread slot: too big for TLS, of which a library that is loaded late gets little. Emptied by a fork, like all of
 * struct shim_private: in a child that nobody announced, `alive` reads 0 and no site is known. */
struct shim_local {
	_Alignas(64) _Atomic uint32_t alive; /* 1: a thread of this process has the slot */
	_Atomic uint32_t ring;               /* enum shim_ring: the slot's ring in this process */
	uint32_t pad[14];
	struct shim_site sites[SHIM_SITES];
	char scratch[SHIM_SCRATCH_BYTES];
};

enum shim_ring { SHIM_RING_CLOSED = 0, SHIM_RING_OPEN, SHIM_RING_GONE };

struct shim_private {
	_Atomic uint32_t alive; /* 1; reads 0 in a child that has not been set up yet */
	uint32_t pad[15];
	struct shim_local locals[];
};

/* The hooked functions, by hooks.def. */
enum hook_id {
#define HOOK(name, family) HOOK_##name,
#define ALIAS(alias, name, family)
#include "preload/hooks.def"
#undef HOOK
#undef ALIAS
	HOOK_COUNT
};

struct shim {
	/* one cache line with all that an ordinary call reads */
	_Alignas(64) _Atomic(const _Atomic uint32_t *)
		on; /* never NULL: the session's kill switch, or a 0 while we are off by ourselves */
	_Atomic uint8_t *policy;
	/* where these lie from the thread pointer, as soon as a session is mapped */
	int32_t tls_at;      /* shim_tls */
	int32_t rseq_at;     /* the thread's area of restartable sequences, or shim_tls.no_rseq */
	uint32_t policy_fds; /* 0 until a session is mapped */
	uint32_t hot_fds;    /* the same, or 0 if the clock must be asked of the kernel: then no transfer goes the short way */
	uint16_t clock;
	uint16_t script; /* version of the interpreter whose scripts are told, 0: none (script.c) */
	/* behind it, in the same page: the real functions */
	_Alignas(8) void *real[HOOK_COUNT];
	struct wire_header *header;   /* never NULL: an all-zero one until a session is mapped */
	struct wire_process *process; /* never NULL, the same way */
	struct shim_private *private_mem;
	uint32_t process_index;
	/* the rest */
	_Atomic uint32_t threads; /* so many thread slots, the first ones, may still be taken: their rings lie in what is mapped */
	int32_t pid;
	uint32_t pid_ns; /* as the agent says (wire/shared.h) */
	bool mapped;
	bool injected;              /* put into a running process: GOT slots lead here, not the loader */
	_Atomic bool quiet;         /* a seccomp filter is in force: no system call of our own */
	_Atomic bool exit_said;     /* PROCESS_EXIT was published */
	_Atomic size_t stack_min;   /* smallest thread stack that was asked for */
	_Atomic uint64_t not_ready; /* hooked calls before the session was mapped */
	uintptr_t stack_end;        /* of the first thread; 0 if unknown */
};
static_assert(offsetof(struct shim, real[HOOK_NEAR]) <= 64, "one cache line is all that the calls that are made most need");

enum shim_thread_state { SHIM_THREAD_NEW = 0, SHIM_THREAD_LIVE, SHIM_THREAD_REFUSED, SHIM_THREAD_GONE };

struct shim_tls {
	/* one cache line with all that an ordinary call reads */
	_Alignas(64) struct shim_local *local; /* never NULL: an empty one while this thread has no slot */
	_Atomic uintptr_t busy;                /* stack pointer of the bookkeeping that is going on, 0 = none */
	_Atomic uintptr_t waiting_sp;          /* stack pointer of the call that owns the in-flight slot, 0 = free */
	uint64_t slow_ticks;                   /* a longer call sends its stack */
	uint64_t last_room;                    /* where the ring's head may be for one more unit, as far as tail_seen tells */
	struct wire_ring ring;                 /* tail_seen lies in the next line */
	/* the rest */
	uint64_t fork_t0;     /* when this thread called fork, while it is in it */
	uint32_t state;       /* enum shim_thread_state */
	uint32_t refused;     /* calls since no slot was found */
	uint32_t exit_rounds; /* rounds of the key destructor that are over */
	bool main_thread;
	bool claiming;            /* thread_claim is on this thread's stack */
	bool formatting;          /* scratch is in use */
	struct wire_rseq no_rseq; /* one that is not registered */
};

/* All of it is this library's own: said here, so that it is reached directly and not through a table of addresses. */
#pragma GCC visibility push(hidden)
extern struct shim shim;
extern __thread struct shim_tls shim_tls __attribute__((tls_model("initial-exec")));

/* This thread's. Without a look into the table of addresses, which lies in a page of its own. */
static inline struct shim_tls *shim_self(void)
{
	return (struct shim_tls *)(cpu_thread_pointer() + (uintptr_t)(intptr_t)shim.tls_at);
}

/* Now, in the session's ticks. */
uint64_t shim_clock_monotonic(void);
static inline uint64_t shim_ticks(void)
{
	return likely(shim.clock == WIRE_CLOCK_TSC) ? cpu_ticks() : shim_clock_monotonic();
}

/* memory.c */
bool memory_ring_open(uint32_t index);        /* make the ring of a claimed slot writable; false: it cannot be had */
void memory_ring_close(struct shim_local *l); /* its thread does not write any more */
void memory_rings_open(void);                 /* all of them, before a filter forbids it */

/* session.c */
static inline bool session_is_set_up(void) /* false in a forked child that no hook has announced yet */
{
	return atomic_load_explicit(&shim.private_mem->alive, memory_order_relaxed);
}
void session_child(void);       /* a fork child: take a process slot and a thread slot of its own */
bool session_is_shadow(void);   /* a vfork child, running on its parent's memory? Counts a lost record if so */
bool session_is_aside(void);    /* the same of what only its own descriptors and its program know: counts, and nothing is lost */
const char *session_path(void); /* the value of GAPSCOPE_SESSION, "" if none */
const char *session_library(void);
bool session_is_own(uintptr_t start, uintptr_t end); /* is this library there? */
struct wire_attach;
int session_attach(const struct wire_attach *a); /* into a running process; 0 or -errno */
void session_detach(void);
void session_limited(void); /* the program has limited its address space: take less of it */
void session_announce(void);
bool session_is_on(void);
void session_on(void);
void session_off(void); /* from now on every hook of this process passes through */
static inline void session_count(enum wire_loss cause)
{
	atomic_fetch_add_explicit(&shim.process->lost[cause], 1, memory_order_relaxed);
}

/* thread.c */
bool thread_claim(struct shim_tls *t); /* false: none is free, or the thread is past its end; the loss is counted */
int thread_setup(void);                /* once a process: the key whose destructor gives slots back */
void thread_reset(struct shim_tls *t); /* after fork: forget the parent's slot */

/* fd.c */
uint8_t fd_classify(int fd);
bool fd_opened(
	int fd); /* for reading only, a moment ago. False: its number was somebody's, and the agent must be told, or it wants to be */
bool fd_opens_are_told(void); /* it wants to be told of what is opened for reading only */
bool fd_closing(int fd);      /* is its close none of the agent's business? Then the byte is cleared */
void fd_set_policy(int fd, uint8_t policy);
void fd_copy_policy(int from, int to);
uint8_t fd_policy_of_path(const char *path, int flags);
void fd_start(void); /* announce descriptors 1 and 2 */

/* modules.c */
void modules_announce(void); /* a MODULE record for each loaded object that has none yet */
void modules_forget(void);   /* a new session: announce them all again */

/* hooks_timer.c */
void timers_announce(void); /* the process's timers and the disposition of SIGALRM, if it has a handler */

/* script.c */
void script_begin(void);             /* is this process an interpreter that we know? */
uint32_t script_site(uint32_t site); /* a call site, told apart by where the thread's script is */
struct wire_script_frame;
uint32_t script_frames(struct wire_script_frame *to, uint32_t most); /* where it is: how many frames, innermost first */

bool script_is_over(void);                                /* does the interpreter end, so that this thread's frames may be gone? */
bool script_copy(void *to, uintptr_t from, size_t bytes); /* fails where nothing is mapped */

/* script_names.c */
struct cpython;
/* A new session: nothing was sent. NULL: no interpreter that is known. */
void script_names_begin(const struct cpython *layout);
/* What names these frames, as struct wire_piece into the ring behind `at`, if it was not sent before. Returns how many bytes that took. */
uint32_t script_names(struct shim_tls *t, uint64_t at, const struct wire_script_frame *frames, uint32_t n);

/* resolve.c */
void *resolve_one(unsigned int hook);
void resolve_all(void);

#pragma GCC visibility pop

#endif
