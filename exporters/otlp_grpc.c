/*
 * OTLP over gRPC: a unary call a batch. libcurl makes the connection, with its names, proxies and TLS; nghttp2 frames what goes over
 * it. (libcurl 7.88 alone cannot use a plaintext HTTP/2 connection twice, and gives no trailers of a reset stream.)
 *
 * Everything runs on the lane's thread, abort excepted. The connection is kept from batch to batch.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include "core/monotonic.h"
#include "exporters/grpc_answer.h"
#include "exporters/gzip.h"
#include "exporters/otlp_curl.h"

#define NS_PER_MS 1000000ULL
#define NEVER UINT64_MAX
#define WAIT_MAX_MS 60000
#define READ_ROOM 16384U
#define WINDOW (1 << 20)
#define FIXED_HEADERS 9U

static const char *const paths[EXPORT_SIGNALS] = {
	[EXPORT_SPANS] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	[EXPORT_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	[EXPORT_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

struct otlp_grpc {
	struct otlp_curl curl;
	const struct otlp_signal *signal;
	char *scheme, *authority;
	nghttp2_session *session; /* NULL = no connection */
	curl_socket_t socket;
	const uint8_t *unsent; /* of nghttp2's own buffer */
	size_t unsent_len;
	/* the call under way */
	int32_t stream;
	bool ended, too_large;
	struct bytes message; /* with its prefix */
	size_t message_sent;
	struct grpc_answer answer;
};

/* -- what nghttp2 tells -- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct otlp_grpc *g = ctx;
	(void)session;
	(void)flags;
	if (frame->hd.stream_id == g->stream)
		grpc_answer_header(&g->answer, (const char *)name, name_len, (const char *)value, value_len);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *ctx)
{
	struct otlp_grpc *g = ctx;
	(void)flags;
	if (stream != g->stream || grpc_answer_body(&g->answer, data, len) == 0)
		return 0;
	g->too_large = true;
	nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
	struct otlp_grpc *g = ctx;
	(void)session;
	if (stream == g->stream) {
		g->answer.reset = error;
		g->ended = true;
	}
	return 0;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t len, uint32_t *flags,
			 nghttp2_data_source *source, void *ctx)
{
	struct otlp_grpc *g = ctx;
	size_t left = g->message.len - g->message_sent;
	size_t n = left < len ? left : len;
	(void)session;
	(void)stream;
	(void)source;
	memcpy(buf, g->message.data + g->message_sent, n);
	g->message_sent += n;
	if (n == left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* -- the connection -- */

static void disconnect(struct otlp_grpc *g)
{
	nghttp2_session_del(g->session);
	g->session = NULL;
	g->unsent_len = 0;
	otlp_curl_end(&g->curl); /* closes it */
}

static int session_new(struct otlp_grpc *g)
{
	static const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
							  {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
	nghttp2_session_callbacks *calls;
	if (nghttp2_session_callbacks_new(&calls) != 0)
		return -ENOMEM;
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
	int rc = nghttp2_session_client_new(&g->session, calls, g);
	nghttp2_session_callbacks_del(calls);
	if (rc == 0)
		rc = nghttp2_submit_settings(g->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
	return rc == 0 ? 0 : -ENOMEM;
}

static bool connect_to(struct otlp_grpc *g, uint64_t timeout_ms, struct otlp_reply *ret)
{
	CURLcode code;
	curl_easy_setopt(g->curl.easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (!otlp_curl_run(&g->curl, &code)) {
		ret->verdict = OTLP_ABORTED;
	} else if (code != CURLE_OK || curl_easy_getinfo(g->curl.easy, CURLINFO_ACTIVESOCKET, &g->socket) != CURLE_OK) {
		otlp_curl_judge(&g->curl, code, ret);
	} else if (session_new(g) != 0) {
		snprintf(ret->why, sizeof ret->why, "out of memory");
	} else {
		return true;
	}
	disconnect(g);
	return false;
}

/* Send what nghttp2 has to say, as far as the socket takes it. False where the connection is gone. */
static bool pump_out(struct otlp_grpc *g)
{
	for (;;) {
		if (g->unsent_len == 0) {
			ssize_t n = nghttp2_session_mem_send(g->session, &g->unsent);
			if (n <= 0)
				return n == 0;
			g->unsent_len = (size_t)n;
		}
		size_t sent = 0;
		CURLcode code = curl_easy_send(g->curl.easy, g->unsent, g->unsent_len, &sent);
		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK)
			return false;
		g->unsent += sent;
		g->unsent_len -= sent;
	}
}

static bool pump_in(struct otlp_grpc *g)
{
	uint8_t buf[READ_ROOM];
	for (;;) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(g->curl.easy, buf, sizeof buf, &n);
		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK || n == 0 || nghttp2_session_mem_recv(g->session, buf, n) < 0)
			return false;
	}
}

static bool pump(struct otlp_grpc *g)
{
	return pump_in(g) && pump_out(g) && (nghttp2_session_want_read(g->session) || nghttp2_session_want_write(g->session));
}

/* -- a call -- */

static nghttp2_nv header(const char *name, const char *value, size_t value_len)
{
	return (nghttp2_nv){.name = (uint8_t *)name, .namelen = strlen(name), .value = (uint8_t *)value, .valuelen = value_len};
}

/* "name: value", or "name;" with no value, as libcurl has them; HTTP/2 wants names in lower case. */
static nghttp2_nv own_header(char *line)
{
	size_t name_len = strcspn(line, ":;");
	const char *value = line[name_len] == ':' ? line + name_len + 1 + (line[name_len + 1] == ' ') : "";
	line[name_len] = '\0';
	for (char *c = line; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 32) : *c;
	return header(line, value, strlen(value));
}

static int submit(struct otlp_grpc *g, uint64_t timeout_ms)
{
	nghttp2_nv list[FIXED_HEADERS + 2 + OTLP_HEADERS_MAX];
	char *copies[OTLP_HEADERS_MAX] = {0};
	char timeout[24];
	size_t n = 0;
	const char *fixed[FIXED_HEADERS - 1][2] = {
		{":method", "POST"},
		{":scheme", g->scheme},
		{":authority", g->authority},
		{":path", paths[g->signal->kind]},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
		{"user-agent", OTLP_USER_AGENT},
		{"grpc-accept-encoding", "identity,gzip"},
	};
	for (size_t i = 0; i < FIXED_HEADERS - 1; i++)
		list[n++] = header(fixed[i][0], fixed[i][1], strlen(fixed[i][1]));
	if (timeout_ms > 0 && timeout_ms < 100000000U) { /* at most eight digits */
		snprintf(timeout, sizeof timeout, "%llum", (unsigned long long)timeout_ms);
		list[n++] = header("grpc-timeout", timeout, strlen(timeout));
	}
	if (g->signal->gzip)
		list[n++] = header("grpc-encoding", "gzip", 4);
	for (size_t i = 0; i < g->signal->headers_n; i++) {
		copies[i] = strdup(g->signal->headers[i]);
		if (copies[i] != NULL)
			list[n++] = own_header(copies[i]);
	}
	const nghttp2_data_provider body = {.read_callback = give_body};
	g->stream = nghttp2_submit_request(g->session, NULL, list, n, &body, NULL);
	for (size_t i = 0; i < g->signal->headers_n; i++)
		free(copies[i]);
	return g->stream > 0 ? 0 : -EIO;
}

/* Until the stream has ended. False, with the reply filled, where it comes to no end. */
static bool converse(struct otlp_grpc *g, uint64_t end_ns, struct otlp_reply *ret)
{
	ret->verdict = OTLP_RETRY;
	for (;;) {
		bool alive = pump(g);
		if (g->ended)
			return true;
		uint64_t now = monotonic_ns();
		if (otlp_curl_aborted(&g->curl)) {
			ret->verdict = OTLP_ABORTED;
			return false;
		}
		if (!alive) {
			snprintf(ret->why, sizeof ret->why, "the receiver closed the connection");
			return false;
		}
		if (now >= end_ns) {
			snprintf(ret->why, sizeof ret->why, "no answer in time");
			return false;
		}
		bool writes = g->unsent_len > 0 || nghttp2_session_want_write(g->session);
		uint64_t left_ms = end_ns == NEVER ? WAIT_MAX_MS : (end_ns - now) / NS_PER_MS + 1;
		struct curl_waitfd fd = {.fd = g->socket, .events = (short)(CURL_WAIT_POLLIN | (writes ? CURL_WAIT_POLLOUT : 0))};
		curl_multi_poll(g->curl.multi, &fd, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS, NULL);
	}
}

static void call(struct otlp_grpc *g, uint64_t timeout_ms, uint64_t end_ns, struct otlp_reply *ret)
{
	g->ended = false;
	g->too_large = false;
	g->message_sent = 0;
	if (submit(g, timeout_ms) != 0) {
		ret->verdict = OTLP_RETRY; /* the receiver takes no more calls on this connection */
		snprintf(ret->why, sizeof ret->why, "the receiver is closing the connection");
		disconnect(g);
	} else if (!converse(g, end_ns, ret)) {
		disconnect(g);
	} else if (g->too_large) {
		*ret = (struct otlp_reply){.verdict = OTLP_REFUSED};
		snprintf(ret->why, sizeof ret->why, "the receiver's answer was longer than %u bytes", OTLP_RESPONSE_MAX);
		disconnect(g);
	} else {
		grpc_answer_judge(&g->answer, ret);
	}
	g->stream = 0;
	grpc_answer_done(&g->answer);
}

/* Put the prefix in front: whether it is compressed, and how long. */
static int frame_message(struct otlp_grpc *g, const struct bytes *body)
{
	struct bytes packed = {0};
	int rc = g->signal->gzip ? gzip_pack(body, &packed) : 0;
	const struct bytes *sent = g->signal->gzip ? &packed : body;
	uint8_t *data = rc == 0 ? malloc(sent->len + GRPC_PREFIX) : NULL;
	if (data != NULL) {
		data[0] = g->signal->gzip;
		for (unsigned int i = 0; i < 4; i++)
			data[1 + i] = (uint8_t)(sent->len >> (24 - 8 * i));
		memcpy(data + GRPC_PREFIX, sent->data, sent->len);
		g->message = (struct bytes){.data = data, .len = sent->len + GRPC_PREFIX};
	}
	free(packed.data);
	return data != NULL ? 0 : -ENOMEM;
}

static void grpc_post(void *t, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret)
{
	struct otlp_grpc *g = t;
	uint64_t start = monotonic_ns(), end_ns = timeout_ms != 0 ? start + timeout_ms * NS_PER_MS : NEVER;
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED};
	if (otlp_curl_aborted(&g->curl)) {
		ret->verdict = OTLP_ABORTED;
		return;
	}
	if (frame_message(g, body) != 0) {
		snprintf(ret->why, sizeof ret->why, "out of memory");
		return;
	}
	/* what was left alone may have been closed meanwhile */
	if (g->session != NULL && (!pump(g) || !nghttp2_session_check_request_allowed(g->session)))
		disconnect(g);
	if (g->session != NULL || connect_to(g, timeout_ms, ret))
		call(g, timeout_ms, end_ns, ret);
	free(g->message.data);
	g->message = (struct bytes){0};
}

static void grpc_abort(void *t)
{
	struct otlp_grpc *g = t;
	otlp_curl_abort(&g->curl);
}

static void grpc_close(void *t)
{
	struct otlp_grpc *g = t;
	if (g == NULL)
		return;
	disconnect(g);
	otlp_curl_done(&g->curl);
	free(g->scheme);
	free(g->authority);
	free(g);
}

/* :scheme and :authority, without userinfo. */
static int read_url(struct otlp_grpc *g, const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	int rc = -ENOMEM;
	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		g->scheme = strdup(scheme);
		if (asprintf(&g->authority, "%s:%s", host, port) < 0)
			g->authority = NULL;
		rc = g->scheme != NULL && g->authority != NULL ? 0 : -ENOMEM;
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return rc;
}

static CURLcode offer_h2(CURL *easy, void *ssl_ctx, void *ctx)
{
	static const unsigned char protocols[] = {2, 'h', '2'};
	(void)easy;
	(void)ctx;
	return SSL_CTX_set_alpn_protos(ssl_ctx, protocols, sizeof protocols) == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static int grpc_open(const struct otlp_signal *s, void **ret)
{
	struct otlp_grpc *g = calloc(1, sizeof *g);
	if (g == NULL)
		return -ENOMEM;
	g->signal = s;
	if (otlp_curl_init(&g->curl, s) != 0 || read_url(g, s->url) != 0) {
		grpc_close(g);
		return -ENOMEM;
	}
	curl_easy_setopt(g->curl.easy, CURLOPT_CONNECT_ONLY, 1L);
	/* libcurl would speak HTTP/2 itself on a connection for which it negotiated "h2": so it is offered behind its back */
	curl_easy_setopt(g->curl.easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(g->curl.easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(g->curl.easy, CURLOPT_SSL_CTX_FUNCTION, offer_h2);
	*ret = g;
	return 0;
}

const struct otlp_transport otlp_over_grpc = {
	.open = grpc_open,
	.post = grpc_post,
	.abort = grpc_abort,
	.close = grpc_close,
};
