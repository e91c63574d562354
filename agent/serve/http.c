/*
 * The daemon's HTTP endpoints (http.h).
 */
#include "serve/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/monotonic.h"
#include "serve/admission.h"
#include "serve/listen.h"
#include "serve/notes.h"
#include "serve/route.h"

#define STREAMS_MAX 16U
#define STREAM_PATH "/api/v1/stream"

struct stream {
	struct http *http;
	struct MHD_Connection *connection;
	uint64_t told; /* version of the board */
	bool used, asleep;
};

struct http {
	struct http_options options;
	struct listener listener;
	struct MHD_Daemon *daemon;
	struct stream streams[STREAMS_MAX];
	struct callers callers;
	struct notes notes;
};

/* A request while its body comes. */
struct incoming {
	const struct route *route; /* NULL: answered without a body */
	const char *rest;
	char *body;
	size_t len;
	bool too_large;
};

__attribute__((format(printf, 2, 3))) static void note(struct http *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	notes_say(&h->notes, monotonic_ns(), format, args);
	va_end(args);
}

static void log_mhd(void *ctx, const char *format, va_list args)
{
	struct http *h = ctx;

	/* That a browser closed its stream is no news. */
	if (strncmp(format, "Failed to send", 14) != 0)
		notes_say(&h->notes, monotonic_ns(), format, args);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static const char *query_of(const struct route_request *q, const char *key)
{
	return MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, key);
}

static struct caller *caller_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **memory, enum MHD_ConnectionNotificationCode what)
{
	struct http *h = ctx;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (what == MHD_CONNECTION_NOTIFY_STARTED && info)
		*memory = callers_enter(&h->callers, info->connect_fd, monotonic_ns());
	else if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		callers_leave(&h->callers, *memory);
}

/* -- answers -- */

static const struct {
	const char *name, *value;
} headers[] = {
	{"X-Content-Type-Options", "nosniff"},
	{"Cache-Control", "no-store"},
	{"Referrer-Policy", "no-referrer"},
	{"Content-Security-Policy",
	 "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
};

static enum MHD_Result queue(struct MHD_Connection *c, unsigned int status, const char *type, struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		MHD_add_response_header(r, headers[i].name, headers[i].value);
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"gapscope\"");
	const enum MHD_Result result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result send_answer(struct MHD_Connection *c, const struct route_answer *a)
{
	const enum MHD_ResponseMemoryMode mode = a->made ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT;

	return queue(c, a->status, a->type,
		     MHD_create_response_from_buffer(a->len, a->made ? (void *)a->made : (void *)(uintptr_t)a->text, mode));
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned int status, const char *message)
{
	struct route_answer a;

	answer_error(&a, status, message);
	return send_answer(c, &a);
}

static enum MHD_Result answer(struct http *h, struct MHD_Connection *c, const struct incoming *in)
{
	const time_t now = time(NULL);
	struct tm tm;
	char today[16];
	struct route_answer a = {0};
	struct route_request q = {
		.board = h->options.board,
		.history = h->options.history,
		.rest = in->rest,
		.query = query_of,
		.body = in->body,
		.body_len = in->len,
		.today = today,
		.connection = c,
	};

	gmtime_r(&now, &tm);
	strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	in->route->answer(&q, &a);
	return send_answer(c, &a);
}

/* -- the stream of changes: server-sent events (WHATWG HTML, "Server-sent events") -- */

static ssize_t stream_read(void *ctx, uint64_t pos, char *buf, size_t max)
{
	struct stream *s = ctx;

	(void)pos;
	if (s->told == s->http->options.board->version) {
		s->asleep = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	s->told = s->http->options.board->version;
	const int n = snprintf(buf, max, "event: change\ndata: {\"version\":%llu}\n\n", (unsigned long long)s->told);
	return n > 0 && (size_t)n < max ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_done(void *ctx)
{
	((struct stream *)ctx)->used = false;
}

static enum MHD_Result open_stream(struct http *h, struct MHD_Connection *c)
{
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &h->streams[i];

		if (s->used)
			continue;
		*s = (struct stream){.http = h, .connection = c, .told = UINT64_MAX, .used = true};
		return queue(c, MHD_HTTP_OK, "text/event-stream",
			     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 256, stream_read, s, stream_done));
	}
	return send_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams");
}

static void wake_streams(struct http *h, bool all)
{
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &h->streams[i];

		if (!s->used || !s->asleep || (!all && s->told == h->options.board->version))
			continue;
		s->asleep = false;
		MHD_resume_connection(s->connection);
	}
}

/* -- requests -- */

static const char *refused(const struct http *h, struct MHD_Connection *c, bool open, unsigned int *ret_status)
{
	struct admission a = {
		.token = h->options.token,
		.local = h->listener.local,
		.authorization = header(c, MHD_HTTP_HEADER_AUTHORIZATION),
		.host = header(c, MHD_HTTP_HEADER_HOST),
		.origin = header(c, MHD_HTTP_HEADER_ORIGIN),
	};
	if (a.local) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct ucred peer;
		socklen_t len = sizeof(peer);

		a.uid = info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.uid : (uid_t)-1;
	}
	return admission_refuses(&a, open, ret_status);
}

static enum MHD_Result count_length(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)value;
	*(size_t *)ctx +=
		strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 || strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	return MHD_YES;
}

/* Who stands between may believe another of them than we do, and take what follows for somebody else's request (RFC 9112, 11.2). */
static bool is_two_lengths(struct MHD_Connection *c)
{
	size_t n = 0;

	MHD_get_connection_values(c, MHD_HEADER_KIND, count_length, &n);
	return n > 1;
}

/* The head of a request: what can be answered without its body is; else the body is gathered. */
static enum MHD_Result begin(struct http *h, struct MHD_Connection *c, const char *path, const char *method, void **memory)
{
	const char *rest = "";
	bool known = false;
	const bool stream = strcmp(path, STREAM_PATH) == 0 && strcmp(method, "GET") == 0;
	const struct route *route = route_find(method, path, &rest, &known);
	unsigned int status;
	const char *why = refused(h, c, route && route->open, &status);

	if (why) {
		note(h, "refused %.16s %.64s: %s", method, path, why);
		return send_error(c, status, why);
	}
	if (is_two_lengths(c)) {
		note(h, "refused %.16s %.64s: two lengths of a body", method, path);
		return send_error(c, MHD_HTTP_BAD_REQUEST, "the request says in two ways how long its body is");
	}
	if (stream) {
		callers_asked(&h->callers, caller_of(c));
		return open_stream(h, c);
	}
	if (!route)
		return known ? send_error(c, MHD_HTTP_METHOD_NOT_ALLOWED, "another method is right here")
			     : send_error(c, MHD_HTTP_NOT_FOUND, "there is nothing of this name");
	struct incoming *in = calloc(1, sizeof(*in));
	if (!in)
		return MHD_NO;
	in->route = route;
	in->rest = rest;
	*memory = in;
	return MHD_YES;
}

static enum MHD_Result gather(struct incoming *in, const char *data, size_t *size)
{
	char *body = in->len + *size <= HTTP_BODY_MAX ? realloc(in->body, in->len + *size) : NULL;

	if (body) {
		memcpy(body + in->len, data, *size);
		in->body = body;
		in->len += *size;
	} else {
		in->too_large = true;
	}
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version,
				  const char *data, size_t *size, void **memory)
{
	struct http *h = ctx;
	struct incoming *in = *memory;

	(void)version;
	if (!in)
		return begin(h, c, path, method, memory);
	/* `rest` points into the path, which libmicrohttpd keeps for the life of the request. */
	if (*size)
		return gather(in, data, size);
	callers_asked(&h->callers, caller_of(c));
	if (in->too_large)
		return send_error(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	return answer(h, c, in);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **memory, enum MHD_RequestTerminationCode how)
{
	struct http *h = ctx;
	struct incoming *in = *memory;

	(void)how;
	callers_answered(&h->callers, caller_of(c), monotonic_ns());
	if (in)
		free(in->body);
	free(in);
	*memory = NULL;
}

/* -- life -- */

int http_open(const struct http_options *o, struct http **ret, char *err, size_t err_size)
{
	struct http *h = calloc(1, sizeof(*h));
	int e;

	if (!h) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	h->options = *o;
	h->notes.log = o->log;
	if ((e = listener_open(o->listen, &h->listener, err, err_size)) < 0)
		goto fail;
	if (!h->listener.local && !h->listener.loopback && !o->token) {
		snprintf(err, err_size,
			 "listen: %s can be reached from other machines: set token_file, or listen on 127.0.0.1 or unix:PATH",
			 o->listen);
		e = -EPERM;
		goto fail_listener;
	}
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, h,
				     MHD_OPTION_EXTERNAL_LOGGER, log_mhd, h, MHD_OPTION_LISTEN_SOCKET, h->listener.fd,
				     MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADERS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
				     on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
	if (h->daemon) {
		*ret = h;
		return 0;
	}
	snprintf(err, err_size, "cannot start the HTTP endpoints on %s", o->listen);
	e = -EIO;
fail_listener:
	close(h->listener.fd);
	listener_done(&h->listener);
fail:
	free(h);
	return e;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	wake_streams(h, true);
	MHD_stop_daemon(h->daemon); /* closes the listener */
	listener_done(&h->listener);
	free(h);
}

int http_fd(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

unsigned int http_port(const struct http *h)
{
	return h->listener.port;
}

int http_wait_ms(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(h->daemon, &ms) == MHD_YES ? (ms < INT32_MAX ? (int)ms : INT32_MAX) : -1;
}

void http_run(struct http *h)
{
	const uint64_t now_ns = monotonic_ns();
	const size_t cut = callers_hurry(&h->callers, now_ns);

	if (cut)
		note(h, "cut off %zu who took too long over a request", cut);
	notes_tick(&h->notes, now_ns);
	wake_streams(h, false);
	MHD_run(h->daemon);
}
