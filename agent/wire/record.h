/*
 * The record: what a source (a hook in preload/, a probe in bpf/) says of one call. Fixed 64 bytes, then captured bytes.
 *
 * May be included by preload/, bpf/, agent/ingest and the tests of these. Nothing behind ingest sees a raw record.
 *
 *   byte 0        2        4                8                16               24               32
 *        ├────────┼────────┼────────────────┼────────────────┼────────────────┼────────────────┤
 *        │ event  │ units  │ seq            │ t0             │ t1             │ ret            │
 *        ├────────┴────────┼────────┬───────┼────────────────┼────────────────┼───────┬────────┤
 *     32 │ fd              │ err    │ flags │ a0             │ a1             │ data_ │ site   │ 64
 *        │                 │        │       │                │                │ len   │        │
 *        └─────────────────┴────────┴───────┴────────────────┴────────────────┴───────┴────────┘
 *     64   data_len captured bytes, zero-padded to a multiple of 64
 *        + if flags has STACK: struct wire_stack, zero-padded to a multiple of 64
 *
 * t0 and t1 are ticks of the clock that the shared header names (TSC or CLOCK_MONOTONIC ns); ingest turns them into ns.
 * The record is invisible until the producer release-stores the ring's head behind it (ring.h): reserve, fill, publish.
 */
#ifndef GAPSCOPE_WIRE_RECORD_H
#define GAPSCOPE_WIRE_RECORD_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum wire_event {
#define EVENT(number, name, family, text) WIRE_##name = (number),
#include "wire/events.def"
#undef EVENT
};

enum wire_loss {
#define LOSS(number, name, text) WIRE_LOSS_##name = (number),
#include "wire/loss.def"
#undef LOSS
	WIRE_LOSS_CAUSES
};

/* Flags of a record. */
enum {
	WIRE_F_STACK = 1U << 0,       /* a struct wire_stack follows the data */
	WIRE_F_SOCKET_CALL = 1U << 1, /* recv/send rather than read/write: fd is known to be a socket */
	WIRE_F_RANGE = 1U << 2,       /* CLOSE: close_range */
	WIRE_F_VFORK_CHILD = 1U << 3, /* made by a vfork child on its parent's memory: not an act of the parent */
	WIRE_F_SINK = 1U << 4,        /* fd is a log sink: data is meant to be all the bytes */
	WIRE_F_TRUNCATED = 1U << 5,   /* data holds fewer bytes than the policy wanted */
	WIRE_F_VECTOR = 1U << 6,      /* gathered from several buffers (writev, sendmsg …) */
	WIRE_F_PEEK = 1U << 7,        /* MSG_PEEK: the bytes were not consumed */
	WIRE_F_NONBLOCK = 1U << 8,    /* the call itself would not wait (MSG_DONTWAIT, SOCK_NONBLOCK) */
	WIRE_F_POSITIONED = 1U << 9,  /* pread/pwrite: a file offset was given */
	WIRE_F_TAIL = 1U << 10,       /* the last WIRE_TAIL_BYTES of data are the call's last; what lies between was not captured */
	WIRE_F_BEFORE =
		1U << 11, /* INFLIGHT: begun before anybody watched; t0 is when that was seen, the limit what was left of it then.
			* CONNECTING: the same, but t0 is when it began */
	WIRE_F_DATED = 1U << 12, /* … but t0 is when it began, and the limit its whole: the scheduler knew */
};

#define WIRE_TAIL_BYTES 1024U /* of WIRE_DATA_MAX, where a call moved more: messages end there, and say how it went */
#define WIRE_UNIT 64U         /* ring space is given out in units of so many bytes */

struct wire_record {
	uint16_t event;    /* enum wire_event */
	uint16_t units;    /* length of the whole record in WIRE_UNITs, ≥ 1 */
	uint32_t seq;      /* of this ring; counts lost records too, so a gap shows a loss in place */
	uint64_t t0;       /* ticks when the call was entered */
	uint64_t t1;       /* ticks when it returned */
	int64_t ret;       /* the call's result */
	int32_t fd;        /* the descriptor it is about, -1 if none */
	uint16_t err;      /* errno if it failed, else 0 */
	uint16_t flags;    /* WIRE_F_* */
	uint64_t a0;       /* see events.def */
	uint64_t a1;       /* see events.def */
	uint32_t data_len; /* captured bytes that follow */
	uint32_t site;     /* the shim's hash of the call site, 0 if unknown; a STACK record with it says what it is */
};

static_assert(sizeof(struct wire_record) == 64, "a record is one unit");
static_assert(offsetof(struct wire_record, event) == 0, "");
static_assert(offsetof(struct wire_record, units) == 2, "");
static_assert(offsetof(struct wire_record, seq) == 4, "");
static_assert(offsetof(struct wire_record, t0) == 8, "");
static_assert(offsetof(struct wire_record, t1) == 16, "");
static_assert(offsetof(struct wire_record, ret) == 24, "");
static_assert(offsetof(struct wire_record, fd) == 32, "");
static_assert(offsetof(struct wire_record, err) == 36, "");
static_assert(offsetof(struct wire_record, flags) == 38, "");
static_assert(offsetof(struct wire_record, a0) == 40, "");
static_assert(offsetof(struct wire_record, a1) == 48, "");
static_assert(offsetof(struct wire_record, data_len) == 56, "");
static_assert(offsetof(struct wire_record, site) == 60, "");

/* A copy of the top of the calling thread's stack, from which the agent unwinds: nothing is parsed in the watched process. */
#define WIRE_STACK_REGS 17U /* x86-64: DWARF order rax rdx rcx rbx rsi rdi rbp rsp r8-r15 rip; aarch64: x19-x30 sp pc, 0 … */
struct wire_stack {
	uint32_t bytes_len; /* bytes of stack that follow, from regs' stack pointer upwards */
	uint32_t
		script_len; /* bytes of a struct wire_script with all that belongs to it, behind these; 0: the thread runs no script */
	uint64_t regs[WIRE_STACK_REGS];
};
static_assert(sizeof(struct wire_stack) == 144, "");

/* Where the thread's script is, if an interpreter runs one (CPython): innermost frame first. Then struct wire_piece, each with its bytes. */
#define WIRE_SCRIPT_FRAMES 48U
struct wire_script {
	uint32_t version; /* of the interpreter: major << 8 | minor */
	uint32_t frames;  /* that follow */
};
struct wire_script_frame {
	uint64_t code; /* address of the code object */
	uint64_t at;   /* address of the instruction, or its number (before 3.11) */
};
static_assert(sizeof(struct wire_script) == 8 && sizeof(struct wire_script_frame) == 16, "");
/* A copy of the process's memory: what names these frames. Each code object comes once, in front of what it leads to: the process may be gone
 * before the agent looks. */
struct wire_piece {
	uint64_t address;
	uint32_t bytes;   /* that follow */
	uint32_t is_code; /* 1: a code object */
};
static_assert(sizeof(struct wire_piece) == 16, "");
#define WIRE_SCRIPT_FRAME_BYTES (sizeof(struct wire_script) + WIRE_SCRIPT_FRAMES * sizeof(struct wire_script_frame))
#define WIRE_SCRIPT_NAME_BYTES 24576U
#define WIRE_SCRIPT_BYTES (WIRE_SCRIPT_FRAME_BYTES + WIRE_SCRIPT_NAME_BYTES) /* at most */

/* Data of POLL: select and its sets are turned into these. */
struct wire_pollfd {
	int32_t fd;
	uint16_t events;
	uint16_t revents;
};
static_assert(sizeof(struct wire_pollfd) == 8, "");

/* Data of EPOLL_WAIT: what was returned. */
struct wire_epoll {
	uint64_t data; /* the user data given to epoll_ctl */
	uint32_t events;
	uint32_t pad;
};
static_assert(sizeof(struct wire_epoll) == 16, "");

/* Data of RESOLVE: this head, then name_len bytes of name, then addresses of 16 bytes each (IPv4 as ::ffff:a.b.c.d). */
struct wire_resolve {
	uint16_t name_len;
	uint16_t addresses;
	uint32_t pad;
};
static_assert(sizeof(struct wire_resolve) == 8, "");

/* What a descriptor is, as the shim found it by one fstat at its first use. */
enum wire_fd_kind {
	WIRE_FD_UNKNOWN = 0,
	WIRE_FD_SOCKET = 1,
	WIRE_FD_PIPE = 2,
	WIRE_FD_FILE = 3,
	WIRE_FD_TTY = 4,
	WIRE_FD_OTHER = 5,
};

/* Of a connection that existed before it was watched: in the upper half of FD_KIND's a1. */
#define WIRE_ROLE_SHIFT 32U
#define WIRE_ROLE_MASK 0xffU
/* And what socket it is, as socket(2) was asked for it; 0 where nobody looked. */
#define WIRE_TYPE_SHIFT 40U
#define WIRE_DOMAIN_SHIFT 48U
enum wire_role { WIRE_ROLE_UNKNOWN = 0, WIRE_ROLE_CLIENT = 1, WIRE_ROLE_SERVER = 2, WIRE_ROLE_LISTENER = 3 };

/* What a deadline covers that a runtime keeps. In DEADLINE's a0. */
enum wire_outstanding {
	WIRE_OUTSTANDING_ASKED = 0,
	WIRE_OUTSTANDING_FRESH = 1, /* not a byte went either way */
	WIRE_OUTSTANDING_SET_UP =
		2, /* asked for the first time, perhaps for the connection's set-up: by a library that leaves its deadline to the caller */
	WIRE_OUTSTANDING_BODY = 3, /* the head of an answer has come, and somebody waits for its body, whose length is known */
};

enum wire_deadline {
	WIRE_DEADLINE_READ = 1,   /* each read of the descriptor */
	WIRE_DEADLINE_WRITE = 2,  /* each write, and the connect */
	WIRE_DEADLINE_BOTH = 3,   /* both of them */
	WIRE_DEADLINE_WHOLE = 4,  /* the operation that goes through the descriptor now */
	WIRE_DEADLINE_HEAD = 5,   /* that operation up to the first byte of the answer */
	WIRE_DEADLINE_OTHERS = 6, /* fd = -1: the last of all timers that may end anything; -1: there is no such timer */
};

/* Data of ALLOC. An allocation of n bytes is told with a probability of 1 - exp(-n / mean); mean 0: each one is. */
enum wire_alloc_kind { WIRE_ALLOC_HEAP = 0, WIRE_ALLOC_MAP = 1 };
struct wire_alloc {
	uint64_t mean;
	uint32_t kind;    /* enum wire_alloc_kind */
	uint32_t no_free; /* 1: it will not be told when this block is freed */
};
static_assert(sizeof(struct wire_alloc) == 16, "");

enum wire_alloc_state {
	WIRE_ALLOC_WATCHED = 0,
	WIRE_ALLOC_STATIC = 1,    /* the program has its allocator linked into itself: no call of it can be seen */
	WIRE_ALLOC_NOT_FOUND = 2, /* no object has a malloc */
};

/* How many bytes of data and stack a record with these lengths takes, in units. */
static inline uint32_t wire_units(uint32_t data_len, uint32_t stack_len)
{
	return 1U + (data_len + WIRE_UNIT - 1U) / WIRE_UNIT + (stack_len + WIRE_UNIT - 1U) / WIRE_UNIT;
}

#endif
