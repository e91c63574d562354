/*
 * What the probes in the kernel (probes.bpf.c) and the agent (agent/probes) tell each other.
 *
 * May be included by bpf/ and agent/probes only. A probe says a finished system call as it was made: number, arguments, result, and a copy
 * of the memory that its rule names. Turning that into the records of wire/events.def is the agent's work (agent/probes/translate.c):
 * so the code in the kernel is one path for all calls, and the meaning of each is a table that a test can read.
 */
#ifndef GAPSCOPE_BPF_PROBE_H
#define GAPSCOPE_BPF_PROBE_H

#ifndef __bpf__
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#endif

#define PROBE_SYSCALLS 512U  /* system call numbers that can have a rule */
#define PROBE_PROCESSES 256U /* watched at once; a power of two */
#define PROBE_THREADS 4096U  /* calls under way at once; a power of two */
#define PROBE_PLACES 8U      /* neighbours of its place where an entry may stand */
#define PROBE_FDS 2048U      /* descriptors with a policy of their own; others are looked at each time */
#define PROBE_RENEWED 512U   /* of a process: places for when descriptors began; a power of two */
#define PROBE_SITES 4096U    /* call sites whose stack was sent */
#define PROBE_DATA 16384U    /* copied bytes of one call, at most: WIRE_DATA_MAX */
#define PROBE_TAIL 1024U     /* WIRE_TAIL_BYTES */
#define PROBE_STACK 4096U    /* WIRE_STACK_BYTES */
#define PROBE_FRAMES 64U     /* by frame pointers */
#define PROBE_IOVECS 16U     /* pieces of one call that are copied */
#define PROBE_PATH 256U
#define PROBE_SET_BYTES 32U /* of each of select's three sets: the first 256 descriptors */
#define PROBE_POLL 64U      /* WIRE_POLL_MAX */
#define PROBE_CPUS 256U     /* counts; processors behind them share */
#define PROBE_REGS 17U      /* WIRE_STACK_REGS */
#define PROBE_GO_CALLERS 8U
#define PROBE_GO_OBJECT 128U /* bytes of a timer: the time that it is set for is among them */
#define PROBE_GO_NODES 10U   /* contexts made from each other that are looked at */
#define PROBE_GO_NODE 112U   /* bytes of one: context.timerCtx is the largest */
#define PROBE_GO_READS 4096U /* reads of TLS connections under way at once */
#define PROBE_PLAIN 4096U    /* bytes of plaintext that are copied of one call */
#define PROBE_PLAIN_FEW 512U /* so many take less room */
#define PROBE_BUCKETS 8192U  /* of sampled blocks of memory; a power of two */
#define PROBE_WAYS 8U        /* blocks in one */
#define PROBE_LOG_STEPS 64U  /* of the table of logarithms; a power of two */

enum probe_kind {
	PROBE_CALL = 1,
	PROBE_CONNECTING, /* connect is entered; data = address */
	PROBE_STACK_SEEN, /* struct probe_stack: where site is */
	PROBE_FORK,       /* args[0] = pid of the child, args[1] = its generation */
	PROBE_EXEC, /* args[0] = parent, args[1] = where its code begins, args[2] = its generation, data = path, if it is known */
	PROBE_EXIT, /* ret = status as wait says it */
	PROBE_GO,   /* nr = enum probe_go_what, args = its arguments; data = struct probe_go_timer, _chain or _plain */
	PROBE_ALLOC, /* a sampled one: args = address, bytes, mean, 1 if its end will not be told; ret = bytes asked for since the last */
	PROBE_FREE,       /* args[0] = address of a sampled one */
	PROBE_ALLOC_REST, /* a thread ends: ret = bytes asked for since its last sample */
};

/* Functions of an allocator, by where their arguments stand. */
enum probe_alloc_what {
	ALLOC_MALLOC = 1, /* bytes */
	ALLOC_CALLOC,     /* number, bytes of each */
	ALLOC_REALLOC,    /* block, bytes */
	ALLOC_ALIGNED,    /* alignment, bytes */
	ALLOC_POSIX,      /* where to put the address, alignment, bytes */
	ALLOC_FREE,       /* block */
};

/* Functions of Go's library that deadlines go through. Arguments as Go passes them in registers. */
enum probe_go_what {
	GO_NEW_TIMER = 1, /* time.newTimer(when, period) */
	GO_START_TIMER,   /* time.startTimer(timer), up to Go 1.22 */
	GO_STOP_TIMER,    /* time.stopTimer(timer) */
	GO_RESET_TIMER,   /* time.resetTimer(timer, when, period) */
	GO_SET_DEADLINE,  /* internal/poll.runtime_pollSetDeadline(pd, ns from now, mode); args[3] = descriptor */
	GO_ROUND_TRIP,    /* net/http.(*persistConn).roundTrip(conn, request): chain of the request's context */
	GO_DONE,          /* context.(*cancelCtx).Done(ctx): its chain */
	GO_SLEEP,         /* time.Sleep(ns) */
	GO_TLS_WRITE,     /* crypto/tls.(*Conn).Write(conn, bytes): struct probe_go_plain */
	GO_TLS_READ,      /* crypto/tls.(*Conn).Read(conn, bytes): only remembered */
	GO_TLS_READ_DONE, /* one of its returns: struct probe_go_plain, args[0] = bytes */
	GO_WHATS
};

/* What is copied of a call's memory when it returns. */
enum probe_copy {
	COPY_NONE,
	COPY_BUFFER,      /* args[1], as many bytes as the result says */
	COPY_VECTOR,      /* args[1] = iovec, args[2] of them */
	COPY_MESSAGE,     /* args[1] = msghdr */
	COPY_MESSAGES,    /* args[1] = mmsghdr: the first */
	COPY_ADDRESS,     /* args[1], args[2] bytes: of a peer, or of our own end */
	COPY_ACCEPTED,    /* the peer of the new socket, from the kernel */
	COPY_POLL,        /* args[0], args[1] of them */
	COPY_SELECT,      /* args[1..3]: sets as asked and as answered, struct probe_select */
	COPY_OPTION,      /* args[3], args[4] bytes, up to 16 */
	COPY_EPOLL_EVENT, /* args[3] */
	COPY_EPOLL_READY, /* args[1], as many as the result says */
	COPY_PATH,        /* args[1], a text */
	COPY_ARG0_8,      /* args[0], 8 bytes */
	COPY_ARG1_4,
	COPY_ARG1_16,
	COPY_ARG1_32,
	COPY_ARG2_4,
	COPY_ARG2_32,
	COPY_ARG3_4,
	COPY_ARG3_8,
};

/* Where the limit of a wait stands. */
enum probe_limit {
	LIMIT_NONE, /* -1 */
	LIMIT_MS_ARG2,
	LIMIT_MS_ARG3,
	LIMIT_SPEC_ARG0,
	LIMIT_SPEC_ARG2,
	LIMIT_SPEC_ARG3,
	LIMIT_SPEC_ARG4,
	LIMIT_VAL_ARG4, /* a timeval */
};

enum probe_rule_flags {
	RULE_WATCH = 1,    /* 0: not of interest */
	RULE_DATA = 2,     /* the policy of args[0] decides whether it is told, and how much is copied */
	RULE_READS = 4,    /* with RULE_DATA: not told of a log sink */
	RULE_WAITS = 8,    /* may wait: its stack is sent when it did, and the agent looks at calls that do not return */
	RULE_NEW_FD = 16,  /* its result is a new descriptor */
	RULE_CLOSES = 32,  /* args[0] is closed */
	RULE_CONNECT = 64, /* told when it is entered, too */
	RULE_FAILED = 128, /* what it copies is copied also when it failed */
	RULE_NO_DIR = 256, /* open: as openat, without its first argument */
	RULE_SOCKET = 512, /* with RULE_NEW_FD: a socket, of the domain in args[0], or accepted if it waits */
	RULE_QUIET = 1024, /* with RULE_NEW_FD: nothing of it is told */
};

struct probe_rule {
	uint16_t flags; /* enum probe_rule_flags */
	uint8_t copy;   /* enum probe_copy */
	uint8_t limit;  /* enum probe_limit */
};

/* Head of everything in the ring buffer; the copied bytes follow. */
struct probe_call {
	uint16_t kind; /* enum probe_kind */
	uint16_t nr;   /* system call */
	uint32_t tgid;
	uint32_t tid;
	uint32_t site; /* a hash of where it was made */
	uint64_t t0;   /* CLOCK_MONOTONIC */
	uint64_t t1;
	int64_t ret;
	uint64_t args[6];
	int64_t limit; /* ns, -1 = none */
	uint32_t data_len;
	uint32_t wanted; /* bytes that there were to copy */
	uint8_t policy;  /* enum wire_policy of the descriptor */
	uint8_t fd_kind; /* enum wire_fd_kind where the descriptor was looked at for the first time, else 0 */
	uint8_t tail;    /* 1: the last PROBE_TAIL bytes of data are the call's last, behind some that were not copied */
	uint8_t pad;
	uint32_t fd_flags; /* with fd_kind */
	uint64_t task;     /* in a Go program: the goroutine; else nothing */
};

/* Data of PROBE_STACK_SEEN: two ways to the callers, the agent takes the better one. */
struct probe_stack {
	uint32_t bytes_len; /* of bytes */
	uint32_t frames;    /* of pcs */
	uint64_t regs[PROBE_REGS];
	uint64_t pcs[PROBE_FRAMES];
	uint8_t bytes[PROBE_STACK]; /* from the stack pointer upwards */
};

struct probe_go_timer {
	uint64_t callers[PROBE_GO_CALLERS]; /* return addresses, innermost first; 0 = no more */
	uint8_t object[PROBE_GO_OBJECT];
};

struct probe_go_node {
	uint64_t method; /* the address of its type's first method by name, which names the type; 0 = its type is not known */
	uint8_t bytes[PROBE_GO_NODE];
};

/* A connection, and what it is wrapped around. */
struct probe_go_conn {
	uint64_t method[2]; /* as of nodes */
	int32_t fd[2];
};

struct probe_go_chain {
	struct probe_go_conn conn;
	uint64_t nodes_n;
	struct probe_go_node nodes[PROBE_GO_NODES];
};

/* What went through TLS, in the clear; its first bytes follow. args[1] = the session, args[2] = bytes in all. */
struct probe_go_plain {
	struct probe_go_conn conn; /* that the session goes through */
};

struct probe_select {
	uint8_t asked[3][PROBE_SET_BYTES];
	uint8_t answered[3][PROBE_SET_BYTES];
};

/* The call that a thread is in. `active` is written last; the agent reads it to see calls that do not return. */
struct probe_slot {
	uint32_t tid; /* 0 = free; belongs to the thread until it ends */
	uint32_t tgid;
	uint64_t t0;
	uint64_t args[6];
	int64_t limit;
	uint32_t site;
	uint16_t nr;
	uint16_t active;
};

/* Allocations of the thread with the same index among the slots. */
struct probe_alloc {
	uint64_t left;            /* bytes until the next sample; below zero (as int64_t): it is due */
	uint64_t gap;             /* what left began with */
	uint64_t carry;           /* bytes asked for that no record has told */
	uint64_t sp;              /* of the call that is going on, 0 = none: what the function calls itself counts as part of it */
	uint64_t bytes, t0;       /* of that call */
	uint64_t old;             /* sampled block that it may give back, 0 = none */
	uint64_t result;          /* where it puts the address */
	uint32_t mean, next_mean; /* of the distance that ran out, and of the one that runs */
	uint32_t tid;             /* whose this is */
	uint8_t what;             /* enum probe_alloc_what */
	uint8_t due;              /* it is a sample */
	uint8_t told;             /* its stack was told */
	uint8_t pad;
};

/* What could not be told, by cause: one array for each processor. */
enum probe_count {
	PROBE_COUNT_TOLD,       /* put into the ring buffer */
	PROBE_COUNT_FULL,       /* the ring buffer had no room */
	PROBE_COUNT_NO_SLOT,    /* more threads than slots */
	PROBE_COUNT_NO_PROCESS, /* more processes than slots: all of that process goes unseen */
	PROBE_COUNT_UNREADABLE, /* memory of the service could not be copied: the call is told without it */
	PROBE_COUNT_NO_STACK,   /* a stack could not be told; the next call of that site brings it */
	PROBE_COUNT_NO_BLOCK,   /* a sampled block had no room in its table: when it is freed is not told */
	PROBE_COUNT_NO_FREE,    /* a sampled block was freed, and the ring buffer had no room: it seems alive */
	PROBE_COUNTS = 8        /* a power of two */
};

#ifndef __bpf__
static_assert(sizeof(struct probe_call) == 120, "");
static_assert(sizeof(struct probe_slot) == 80, "");
static_assert(offsetof(struct probe_stack, bytes) == 8 + 8 * PROBE_REGS + 8 * PROBE_FRAMES, "");
#endif

#endif
