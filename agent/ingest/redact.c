/* Redaction: see redact.h. */
#include "ingest/redact.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/budget.h"
#include "ingest/halves.h"
#include "ingest/level.h"
#include "ingest/lines.h"
#include "scan/scan.h"

#define SEVERITY_BITS 7U /* of a syslog priority; the rest is its facility */

struct redact {
	struct scanner *scanner;
	struct lines *lines;
	struct halves *halves;
	struct counters *counters;
	struct budget budget;
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

static uint32_t newlines(const uint8_t *bytes, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\n' ? 1 : 0;
	return n;
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

static void log_event(struct redact *r, const struct event *e, ingest_fn fn, void *ctx)
{
	const uint64_t total = written(e);
	const size_t len = e->data_len < total ? e->data_len : (size_t)total;
	const bool message = e->id == WIRE_SYSLOG || e->id == WIRE_JOURNAL;
	const bool read = budget_take(&r->budget, e->t1, len);
	const int sink = e->id == WIRE_SYSLOG ? LINES_SYSLOG : e->id == WIRE_JOURNAL ? LINES_JOURNAL : e->fd;
	const struct event_sink told = {
		.lines = message ? 1 : newlines(e->data, len), .scanned = read ? (uint32_t)len : 0, .total = total};
	const char *level = message && (int64_t)e->a0 >= 0 ? level_of_priority(e->a0 & SEVERITY_BITS) : "";
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

void redact_event(struct redact *r, const struct event *e, ingest_fn fn, void *ctx)
{
	switch (treatment_of(e)) {
	case LOG:
		log_event(r, e, fn, ctx);
		return;
	case PAYLOAD:
		if (e->data_len > 0)
			halves_redact(r->halves, e->pid, stream_of(e), goes_out(e), (uint8_t *)(uintptr_t)e->data, e->data_len,
				      e->ret != (int64_t)e->data_len);
		break;
	case PLAIN:
		if (e->id == WIRE_LOSS)
			halves_lost(r->halves, e->pid);
		break;
	}
	end_sinks(r, e, fn, ctx);
	fn(ctx, e);
}

void redact_flush(struct redact *r, uint64_t now_ns, ingest_fn fn, void *ctx)
{
	const struct event e = {.t0 = now_ns, .t1 = now_ns};

	lines_end_all(r->lines, &e, fn, ctx);
}
