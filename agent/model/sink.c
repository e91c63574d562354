/*
 * Log sinks: writes to them and what the scanner found, with the sink's name: stdout and stderr, a file's path, syslog, journal.
 * The session's thread only.
 */
#include <string.h>
#include <unistd.h>

#include "model/private.h"

static const char *sink_name(const struct proc *p, const struct connx *c, int fd)
{
	static const char *const by_kind[] = {
		[CONN_TCP] = "socket", [CONN_UDP] = "socket", [CONN_UNIX] = "socket", [CONN_PIPE] = "pipe",
		[CONN_FILE] = "file",  [CONN_TTY] = "tty",    [CONN_OTHER] = "other",
	};

	if (fd == STDOUT_FILENO)
		return "stdout";
	if (fd == STDERR_FILENO)
		return "stderr";
	if (!c)
		return "other";
	if (c->pub.path[0])
		return c->pub.path;
	for (const struct holder *h = c->holders; h; h = h->next) {
		if (h->proc == p && h->fd == STDOUT_FILENO)
			return "stdout";
		if (h->proc == p && h->fd == STDERR_FILENO)
			return "stderr";
	}
	/* the shim takes a Unix socket that was connected for a log if a log daemon's is at its other end */
	return c->pub.kind == CONN_UNIX && c->pub.peer[0] ? "syslog" : by_kind[c->pub.kind];
}

static void tell(struct model *m, struct proc *p, struct connx *c, const char *sink, const struct event *e)
{
	struct event_sink s;

	if (e->data_len < sizeof(s))
		return;
	memcpy(&s, e->data, sizeof(s));
	TELL(m, log,
	     &(struct log_write){.conn = c ? &c->pub : NULL,
				 .process = &p->pub,
				 .event = e,
				 .sink = sink,
				 .lines = s.lines,
				 .total = s.total,
				 .scanned = s.scanned});
}

void sink_on_write(struct model *m, struct proc *p, struct connx *c, const struct event *e)
{
	c->pub.is_sink = true;
	if (e->ret <= 0 && e->id == WIRE_WRITE)
		return;
	c->pub.bytes_out += e->id == WIRE_WRITE ? (uint64_t)e->ret : e->a0;
	c->pub.last_out_ns = e->t1;
	c->pub.last_out_stack = e->stack;
	c->pub.last_out_tid = e->tid;
	tell(m, p, c, sink_name(p, c, e->fd), e);
}

void sink_on_stdio(struct model *m, struct proc *p, const struct event *e)
{
	struct connx *c = e->flags & WIRE_F_SINK ? conn_use(m, p, e->fd, e) : NULL;

	if (c)
		sink_on_write(m, p, c, e);
}

void sink_on_syslog(struct model *m, struct proc *p, const struct event *e)
{
	tell(m, p, NULL, "syslog", e);
}

void sink_on_journal(struct model *m, struct proc *p, const struct event *e)
{
	tell(m, p, NULL, "journal", e);
}

/* What a match is told of: a logging protocol over a socket by its name, all else by what the descriptor is. */
static const char *named_sink(const struct proc *p, const struct connx *c, const struct event *e, const char *sink)
{
	const bool network = c && (c->pub.kind == CONN_TCP || c->pub.kind == CONN_UDP);
	/* one that never was connected says by each message where it goes to */
	const bool local = c && c->pub.kind == CONN_UNIX && !c->pub.peer[0];

	return e->fd < 0 || ((network || local) && e->fd > STDERR_FILENO && *sink) ? sink : sink_name(p, c, e->fd);
}

static enum match_where where_of(const char *sink)
{
	if (!strcmp(sink, EVENT_SENT))
		return MATCH_SENT;
	return !strcmp(sink, EVENT_RECEIVED) ? MATCH_RECEIVED : MATCH_LOG;
}

void sink_on_match(struct model *m, struct proc *p, const struct event *e)
{
	struct event_match match;

	if (e->data_len < sizeof(match))
		return;
	memcpy(&match, e->data, sizeof(match));
	match.entity[sizeof(match.entity) - 1] = '\0';
	match.sink[sizeof(match.sink) - 1] = '\0';
	match.sample[sizeof(match.sample) - 1] = '\0';
	match.level[sizeof(match.level) - 1] = '\0';
	struct connx *c = e->fd >= 0 ? conn_use(m, p, e->fd, e) : NULL;
	const enum match_where where = where_of(match.sink);
	/* What the scanner knows in bytes of other descriptors was overwritten, and is nobody's business. */
	if (where != MATCH_LOG && (!c || c->pub.kind != CONN_TCP))
		return;
	TELL(m, match,
	     &(struct log_match){.where = where,
				 .conn = c ? &c->pub : NULL,
				 .process = &p->pub,
				 .event = e,
				 .slot = e->a1,
				 .sink = where == MATCH_LOG ? named_sink(p, c, e, match.sink) : match.sink,
				 .match = &match,
				 .fingerprint = e->a0});
}

void sink_on_slot(struct model *m, struct proc *p, const struct event *e)
{
	(void)p;
	TELL(m, slot,
	     &(struct log_slot){.id = e->a0,
				.event = e,
				.values = (uint32_t)(e->a1 >> 32),
				.passed = (uint32_t)e->a1,
				.equal_steps = (uint32_t)e->ret});
}
