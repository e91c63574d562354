/*
 * The event: a record after ingest, the only thing that model, protocols and detectors ever see of the outside world.
 * A recording is a list of these, so a replay feeds exactly what the live session fed.
 *
 * Times are ns since the Unix epoch (CLOCK_REALTIME at session start plus monotonic progress: they never step back in an ordered
 * stream). Events arrive ordered by t1, then source; `data` belongs to the caller and is valid during the call only.
 */
#ifndef GAPSCOPE_CORE_EVENT_H
#define GAPSCOPE_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/record.h"

struct event {
	uint64_t t0; /* ns: entered */
	uint64_t t1; /* ns: returned */
	int64_t ret;
	uint64_t a0; /* meaning by event: wire/events.def */
	uint64_t a1;
	uint32_t pid; /* as the agent sees it */
	uint32_t tid;
	int32_t fd;
	uint16_t id;    /* enum wire_event */
	uint16_t flags; /* WIRE_F_* */
	uint16_t err;   /* errno or 0 */
	uint16_t pad;
	uint32_t stack; /* id in struct stacks, 0 = unknown */
	uint32_t data_len;
	const uint8_t *data; /* captured bytes, data_len of them; NULL if none */
};

/* How many of data's bytes are the call's last, behind bytes that were not captured; the others are its first. */
static inline uint32_t event_tail_len(const struct event *e)
{
	return (e->flags & WIRE_F_TAIL) != 0 && e->data_len > WIRE_TAIL_BYTES ? WIRE_TAIL_BYTES : 0;
}

/*
 * Ingest redacts before anything is recorded or modelled (ingest/redact.c). Bytes written to a log sink are scanned there and
 * dropped: the event of the write then has struct event_sink as data, and each match follows as an event MATCH. Bytes of sockets keep
 * their length; what the scanner recognises in them is overwritten with '*'.
 */
struct event_sink {
	uint32_t lines;   /* lines that this write completed */
	uint32_t scanned; /* bytes of it that were scanned */
	uint64_t total;   /* bytes written */
};

/* Sinks of matches that are no log: bytes of a connection that nothing encrypts. */
#define EVENT_SENT "sent"
#define EVENT_RECEIVED "received"

/* Data of MATCH. Texts are NUL-padded. */
struct event_match {
	char entity[24]; /* "CREDIT_CARD" */
	char sink
		[128]; /* "stdout", "stderr", "file", "syslog", "journal", EVENT_SENT and the like: the kind; the model knows the path */
	char sample[64]; /* masked, UTF-8: "4111 11•• •••• 1111" */
	char level[16];  /* log level of the line if it has one, "ERROR" */
	uint64_t line;   /* number of the line at that sink, 1-based */
};

/* Data of PROOF: one injected fault, from its begin to its end. Texts are NUL-padded. */
struct event_proof {
	char fault[16];      /* "stall" */
	char phase[16];      /* of the deadlines that it proves, "response"; "" of faults that are answered by trying again */
	char outcome[16];    /* "gave_up", "waited", "attempts", "not_reached", "unfit", "unclear", "planned" */
	char why[64];        /* why it was ended early, or "" */
	uint8_t address[16]; /* the peer: IPv6, or IPv4 mapped into it; zero of look-ups */
	uint16_t port;       /* host order */
	uint16_t pad;
	uint32_t affected; /* connections, or look-ups */
	uint32_t gave_up, waited;
	uint64_t least_ns, most_ns; /* until they gave up */
	uint64_t waited_ns;         /* the longest without giving up */
	uint64_t whole_ns;          /* of least_ns, since it asked: an answer may have begun */
	uint64_t duration_ns;       /* of the fault */
};

/* Name of an event, "READ"; "?" for numbers that are not in the list. */
const char *event_name(uint16_t id);
/* Family of an event, "data"; "?" for numbers that are not in the list. */
const char *event_family(uint16_t id);
/* Name of a loss cause as reports use it, "ring_full"; "other" for unknown ones. */
const char *loss_name(unsigned int cause);
/* Calls without a record of which nothing is missing: counted apart. */
static inline bool loss_is_none(unsigned int cause)
{
	return cause == WIRE_LOSS_ASIDE;
}

#endif
