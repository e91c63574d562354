/* Redaction: see redact.h. */
#include "ingest/redact.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/budget.h"
#include "ingest/carried.h"
#include "ingest/halves.h"
#include "ingest/level.h"
#include "ingest/lines.h"
#include "ingest/newlines.h"
#include "ingest/packed.h"
#include "scan/scan.h"

#define CLEAR_MAX 8U       /* values of one call on a connection that are told */
#define CLEAR_SEVERITY 2   /* of an entity: credentials, card and account numbers; what is less is for logs only */
#define PACKED_ROOM 16384U /* bytes of a compressed message that are read */
#define SEVERITY_BITS 7U   /* of a syslog priority; the rest is its facility */

struct redact {
	struct scanner *scanner;
	struct lines *lines;
	struct halves *halves;
	struct counters *counters;
	struct budget budget;
	uint8_t unpacked[PACKED_ROOM];
};

/* What one call on a connection had in the clear, told behind the event itself. */
struct clear {
	struct scanner *scanner;
	const char *carried; /* the logging protocol that the call's message is of, NULL if it is of none */
	size_t n;
	struct {
		struct event_match match;
		uint64_t fingerprint;
	} found[CLEAR_MAX];
};

struct redact *redact_new(struct counters *counters, uint32_t percent)
{
	struct redact *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->counters = counters;
	r->scanner = scanner_new(NULL);
	r->lines = r->scanner != NULL ? lines_new(r->scanner, counters) : NULL;
	r->halves = r->scanner != NULL ? halves_new(r->scanner, counters) : NULL;
	budget_start(&r->budget, (double)(percent > 0 ? percent : REDACT_PERCENT) / 100.0);
	if (r->lines == NULL || r->halves == NULL) {
		redact_free(r);
		return NULL;
	}
	return r;
}

void redact_free(struct redact *r)
{
	if (r == NULL)
		return;
	lines_free(r->lines);
	halves_free(r->halves);
	scanner_free(r->scanner);
	free(r);
}

/* How an event's data is treated. */
enum treatment {
	PLAIN,   /* holds no payload */
	PAYLOAD, /* bytes of a connection: overwrite what the scanner knows */
	LOG,     /* bytes of a log: only matches leave */
};

static enum treatment treatment_of(const struct event *e)
{
	switch (e->id) {
	case WIRE_STDIO:
	case WIRE_SYSLOG:
	case WIRE_JOURNAL:
		return LOG;
	case WIRE_WRITE:
	case WIRE_SENDMMSG:
		return (e->flags & WIRE_F_SINK) != 0 ? LOG : PAYLOAD;
	case WIRE_READ:
	case WIRE_RECVMMSG:
	case WIRE_TLS_READ:
	case WIRE_TLS_WRITE:
		return PAYLOAD;
	default:
		return PLAIN;
	}
}

/* Bytes that really went into the log. */
static uint64_t written(const struct event *e)
{
	if (e->id == WIRE_STDIO)
		return e->a0 > e->data_len ? e->a0 : e->data_len;
	if (e->id == WIRE_SYSLOG || e->id == WIRE_JOURNAL)
		return e->data_len;
	return e->ret > 0 ? (uint64_t)e->ret : 0;
}

/* To /dev/log: whoever logs so sends a message a call, and ends it with a NUL or not at all. */
static bool is_datagram(const struct event *e)
{
	return (e->flags & WIRE_F_SOCKET_CALL) != 0 && (e->id == WIRE_WRITE || e->id == WIRE_SENDMMSG) && e->fd > STDERR_FILENO;
}

static void log_event(struct redact *r, const struct event *e, ingest_fn fn, void *ctx)
{
	const uint64_t total = written(e);
	const size_t len = e->data_len < total ? e->data_len : (size_t)total;
	const bool numbered = e->id == WIRE_SYSLOG || e->id == WIRE_JOURNAL;
	const bool message = numbered || is_datagram(e);
	const int sink = e->id == WIRE_SYSLOG ? LINES_SYSLOG : e->id == WIRE_JOURNAL ? LINES_JOURNAL : e->fd;
	const bool packed = lines_packed(r->lines, e->pid, sink, e->data, len);
	const bool read = !packed && budget_take(&r->budget, e->t1, len);
	const struct event_sink told = {.lines = packed    ? 0
						 : message ? 1
							   : newlines(e->data, len),
					.scanned = read ? (uint32_t)len : 0,
					.total = total};
	const char *level = numbered && (int64_t)e->a0 >= 0 ? level_of_priority(e->a0 & SEVERITY_BITS)
			    : e->id == WIRE_JOURNAL         ? level_of_fields(e->data, len)
							    : "";
	struct event out = *e;

	out.data = (const uint8_t *)&told;
	out.data_len = sizeof(told);
	r->counters->log_bytes_seen += total;
	r->counters->log_bytes_read += told.scanned;
	fn(ctx, &out);
	budget_begin(&r->budget);
	/* What is left unread is a gap: the line before it is scanned as far as it is known. */
	lines_add(r->lines, e, sink, e->data, told.scanned, total > told.scanned, message && read, level, fn, ctx);
	budget_end(&r->budget, told.scanned);
}

/* Plaintext has no descriptor: its session stands for one, below all that there are. */
static int stream_of(const struct event *e)
{
	if (e->id != WIRE_TLS_READ && e->id != WIRE_TLS_WRITE && e->id != WIRE_TLS_END)
		return e->fd;
	return INT_MIN + (int)((e->a1 >> 4) & 0x3fffffff);
}

static bool goes_out(const struct event *e)
{
	return e->id == WIRE_WRITE || e->id == WIRE_SENDMMSG || e->id == WIRE_TLS_WRITE;
}

/* Sinks that this event brings to an end. */
static void end_sinks(struct redact *r, const struct event *e, ingest_fn fn, void *ctx)
{
	if (e->id == WIRE_CLOSE && e->ret >= 0) {
		const int last = e->a0 < INT_MAX ? (int)e->a0 : INT_MAX;

		const int to = (e->flags & WIRE_F_RANGE) != 0 ? last : e->fd;

		lines_end(r->lines, e, e->fd, to, fn, ctx);
		halves_end(r->halves, e->pid, e->fd, to);
	} else if (e->id == WIRE_DUP && e->ret >= 0 && e->ret <= INT_MAX) {
		lines_end(r->lines, e, (int)e->ret, (int)e->ret, fn, ctx);
		halves_end(r->halves, e->pid, (int)e->ret, (int)e->ret);
	} else if (e->id == WIRE_TLS_END) {
		halves_end(r->halves, e->pid, stream_of(e), stream_of(e));
	} else if (e->id == WIRE_PROCESS_GONE) {
		lines_end(r->lines, e, INT_MIN, INT_MAX, fn, ctx);
		halves_end(r->halves, e->pid, INT_MIN, INT_MAX);
	}
}

static void note_clear(void *ctx, const struct entity *entity, const uint8_t *value, size_t len)
{
	struct clear *c = ctx;

	if (c->n == CLEAR_MAX || (entity->severity < CLEAR_SEVERITY && c->carried == NULL) || !scan_told(entity, value, len))
		return;
	struct event_match *m = &c->found[c->n].match;

	*m = (struct event_match){0};
	snprintf(m->entity, sizeof(m->entity), "%s", entity->name);
	scan_mask(entity, value, len, m->sample, sizeof(m->sample));
	c->found[c->n++].fingerprint = scan_fingerprint(c->scanner, value, len);
}

struct packed_message {
	struct clear *clear;
	const uint8_t *text;
};

static void note_packed(void *ctx, const struct scan_match *m)
{
	const struct packed_message *p = ctx;

	note_clear(p->clear, m->entity, p->text + m->start, m->end - m->start);
}

/* A message for a log that was compressed: read, and overwritten as a whole, for what it holds cannot be taken out of it. */
static bool packed_log(struct redact *r, uint8_t *bytes, size_t len, struct clear *clear)
{
	const size_t n = packed_read(bytes, len, r->unpacked, sizeof(r->unpacked));
	struct packed_message message = {.clear = clear, .text = r->unpacked};

	clear->carried = n > 0 ? carried_by(r->unpacked, n) : NULL;
	if (clear->carried != NULL) {
		(void)scan_all(r->scanner, r->unpacked, n, note_packed, &message);
		memset(bytes, '*', len);
	}
	explicit_bzero(r->unpacked, n);
	return clear->carried != NULL;
}

static void tell_clear(struct clear *c, const struct event *e, ingest_fn fn, void *ctx)
{
	for (size_t i = 0; i < c->n; i++) {
		struct event match = *e;

		snprintf(c->found[i].match.sink, sizeof(c->found[i].match.sink), "%s",
			 c->carried != NULL ? c->carried
			 : goes_out(e)      ? EVENT_SENT
					    : EVENT_RECEIVED);
		match.id = WIRE_MATCH;
		match.ret = 0;
		match.flags = match.err = 0;
		match.a0 = c->found[i].fingerprint;
		match.a1 = 0;
		match.data = (const uint8_t *)&c->found[i].match;
		match.data_len = sizeof(c->found[i].match);
		fn(ctx, &match);
	}
}

/* What a call ends with lies behind a gap, as if it were another call's. */
static void payload(struct redact *r, const struct event *e, struct clear *clear)
{
	const bool told = e->fd >= 0 && e->ret > 0 && (e->flags & WIRE_F_PEEK) == 0;
	const size_t last = event_tail_len(e), first = e->data_len - last;
	uint8_t *const bytes = (uint8_t *)(uintptr_t)e->data;

	/* before anything of it is overwritten */
	clear->carried = told && goes_out(e) ? carried_by(bytes, first) : NULL;
	const bool packed = told && goes_out(e) && clear->carried == NULL && packed_log(r, bytes, first, clear);
	/* a message begins here, so what came before has ended */
	if (clear->carried != NULL)
		halves_end(r->halves, e->pid, e->fd, e->fd);
	if (packed) {
		memset(bytes + first, '*', last);
		return;
	}
	if (first > 0)
		halves_redact(r->halves, e->pid, stream_of(e), goes_out(e), bytes, first, e->ret != (int64_t)first,
			      told ? note_clear : NULL, clear);
	if (last > 0)
		halves_redact(r->halves, e->pid, stream_of(e), goes_out(e), bytes + first, last, false, told ? note_clear : NULL,
			      clear);
}

void redact_event(struct redact *r, const struct event *e, ingest_fn fn, void *ctx)
{
	struct clear clear;

	clear.scanner = r->scanner;
	clear.carried = NULL;
	clear.n = 0;
	switch (treatment_of(e)) {
	case LOG:
		log_event(r, e, fn, ctx);
		return;
	case PAYLOAD:
		payload(r, e, &clear);
		break;
	case PLAIN:
		if (e->id == WIRE_LOSS)
			halves_lost(r->halves, e->pid);
		break;
	}
	end_sinks(r, e, fn, ctx);
	fn(ctx, e);
	tell_clear(&clear, e, fn, ctx);
}

void redact_flush(struct redact *r, uint64_t now_ns, ingest_fn fn, void *ctx)
{
	const struct event e = {.t0 = now_ns, .t1 = now_ns};

	lines_end_all(r->lines, &e, fn, ctx);
}
