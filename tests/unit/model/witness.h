/*
 * An observer for tests that writes down what it is told, a line a call, so that a test compares text:
 *
 *   struct witness w;
 *   witness_init(&w, s.model, "open close wait");   // only these; NULL = all
 *   …
 *   witness_is(&w, "open 5 tcp\nclose 5 by-us\n");  // asserts, and starts afresh
 */
#ifndef GAPSCOPE_TESTS_UNIT_MODEL_WITNESS_H
#define GAPSCOPE_TESTS_UNIT_MODEL_WITNESS_H

#include <inttypes.h>

#include "model/script.h"

struct witness {
	const char *only;
	char text[65536];
	size_t len;
};

SCRIPT_API __attribute__((format(printf, 3, 4))) void witness_say(struct witness *w, const char *what, const char *format, ...)
{
	va_list args;
	const char *at = w->only ? strstr(w->only, what) : what;

	if (!at || (at != w->only && w->only && at[-1] != ' ') || w->len > sizeof(w->text) - 1024)
		return;
	w->len += (size_t)snprintf(w->text + w->len, 64, "%s ", what);
	va_start(args, format);
	w->len += (size_t)vsnprintf(w->text + w->len, 900, format, args);
	va_end(args);
	w->text[w->len++] = '\n';
	w->text[w->len] = '\0';
}

SCRIPT_API const char *witness_limit(int64_t ns, char buf[32])
{
	if (ns == WAIT_INFINITE)
		return "infinite";
	if (ns == WAIT_UNKNOWN)
		return "unknown";
	snprintf(buf, 32, "%" PRId64 "ms", ns / 1000000);
	return buf;
}

static const char *const witness_kinds[] = {"tcp", "udp", "unix", "pipe", "file", "tty", "other"};
static const char *const witness_ends[] = {"open", "by-us", "eof", "reset", "connect-failed"};
static const char *const witness_ops[] = {"connect", "read", "write", "accept", "resolve", "sleep", "loop"};
static const char *const witness_hows[] = {"call", "poll", "epoll", "sleep", "cond"};
static const char *const witness_outcomes[] = {"ready", "timed-out", "failed", "interrupted", "pending"};
static const char *const witness_request_ends[] = {"done", "eof", "reset", "abandoned", "pending", "refused"};

SCRIPT_API void witness_on_process_start(void *ctx, struct process *p)
{
	witness_say(ctx, "process", "%u of %u %s", p->pid, p->parent, p->exe);
}

SCRIPT_API void witness_on_process_program(void *ctx, struct process *p)
{
	witness_say(ctx, "program", "%u %s", p->pid, p->exe);
}

SCRIPT_API void witness_on_process_exit(void *ctx, struct process *p)
{
	witness_say(ctx, "exit", "%u", p->pid);
}

SCRIPT_API void witness_on_open(void *ctx, struct conn *c, const struct event *e)
{
	(void)e;
	witness_say(ctx, "open", "%d %s%s%s%s", c->fd, witness_kinds[c->kind], c->inherited ? " inherited" : "",
		    c->peer[0] ? " " : "", c->peer);
}

SCRIPT_API void witness_on_connect(void *ctx, struct conn *c, const struct event *e)
{
	(void)e;
	witness_say(ctx, "connect", "%d %s %s %" PRIu64 "us", c->fd, c->peer,
		    c->connect_err ? strerrorname_np(c->connect_err) : "ok", (c->connect_t1 - c->connect_t0) / 1000);
}

SCRIPT_API void witness_on_data(void *ctx, struct conn *c, enum direction d, const struct event *e)
{
	if (e->ret > 0)
		witness_say(ctx, "data", "%d %s %" PRId64, c->fd, d == DIR_OUT ? "out" : "in", e->ret);
	else
		witness_say(ctx, "data", "%d %s %s", c->fd, d == DIR_OUT ? "out" : "in", e->err ? strerrorname_np(e->err) : "eof");
}

SCRIPT_API void witness_on_close(void *ctx, struct conn *c, const struct event *e)
{
	witness_say(ctx, "close", "%d %s%s", c->fd, witness_ends[c->end], e ? "" : " without event");
}

SCRIPT_API void witness_on_wait(void *ctx, const struct wait *wait)
{
	char limit[32], fd[16] = "-";

	if (wait->conn)
		snprintf(fd, sizeof(fd), "%d", wait->conn->fd);
	witness_say(ctx, "wait", "%s %s by %s %s limit %s of %u", fd, witness_ops[wait->op], witness_hows[wait->how],
		    witness_outcomes[wait->outcome], witness_limit(wait->limit_ns, limit), wait->covers);
}

SCRIPT_API void witness_on_resolve(void *ctx, const struct resolve *r)
{
	witness_say(ctx, "resolve", "%s %d %u", r->name, r->code, r->addresses);
}

SCRIPT_API void witness_on_log(void *ctx, const struct log_write *l)
{
	witness_say(ctx, "log", "%s %u lines %" PRIu64 " bytes", l->sink, l->lines, l->total);
}

SCRIPT_API void witness_on_match(void *ctx, const struct log_match *m)
{
	witness_say(ctx, "match", "%s %s %s %" PRIu64, m->sink, m->match->entity, m->match->sample, m->fingerprint);
}

SCRIPT_API void witness_on_request_start(void *ctx, struct request *r)
{
	witness_say(ctx, "request", "%d %s %s%s%s", r->conn->fd, r->method, r->path, r->query[0] ? "?" : "", r->query);
}

SCRIPT_API void witness_on_request_end(void *ctx, struct request *r)
{
	witness_say(ctx, "answer", "%d %s %d %s", r->conn->fd, r->path, r->status, witness_request_ends[r->end]);
}

SCRIPT_API void witness_on_tick(void *ctx, uint64_t now_ns)
{
	witness_say(ctx, "tick", "%" PRIu64, (now_ns - SCRIPT_EPOCH) / SCRIPT_SEC);
}

static const struct observer witness_observer = {
	.process_start = witness_on_process_start,
	.process_program = witness_on_process_program,
	.process_exit = witness_on_process_exit,
	.conn_open = witness_on_open,
	.conn_connect = witness_on_connect,
	.conn_data = witness_on_data,
	.conn_close = witness_on_close,
	.wait = witness_on_wait,
	.resolve = witness_on_resolve,
	.log = witness_on_log,
	.match = witness_on_match,
	.request_start = witness_on_request_start,
	.request_end = witness_on_request_end,
	.tick = witness_on_tick,
};

SCRIPT_API void witness_init(struct witness *w, struct model *m, const char *only)
{
	*w = (struct witness){.only = only};
	assert_int_equal(model_observe(m, &witness_observer, w), 0);
}

#define witness_is(w, expected) \
	do { \
		assert_string_equal((w)->text, expected); \
		(w)->len = 0; \
		(w)->text[0] = '\0'; \
	} while (0)

#endif
