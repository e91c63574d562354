/* A gRPC receiver with faults to order. One thread serves one connection after the other, by poll. */
#include "exporters/grpc_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

struct grpc_receiver {
	int listener, stop[2], fd;
	char url[64];
	const struct grpc_script *script;
	size_t script_n;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct grpc_call got[GRPC_CALLS_MAX];
	size_t got_n; /* calls that were read whole */
	unsigned int connections;
	/* the connection being served */
	nghttp2_session *session;
	const struct grpc_script *now;
	size_t body_at;
	bool reset, last;
};

static const struct grpc_script plain;

static nghttp2_nv nv(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)name, .namelen = strlen(name), .value = (uint8_t *)value, .valuelen = strlen(value)};
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct grpc_receiver *r = ctx;
	struct grpc_call *c = &r->got[r->got_n];
	size_t at = strlen(c->headers);
	(void)session;
	(void)frame;
	(void)flags;
	snprintf(c->headers + at, sizeof c->headers - at, "%.*s: %.*s\n", (int)name_len, (const char *)name, (int)value_len,
		 (const char *)value);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *ctx)
{
	struct grpc_receiver *r = ctx;
	struct grpc_call *c = &r->got[r->got_n];
	(void)session;
	(void)flags;
	(void)stream;
	c->body = realloc(c->body, c->body_len + len);
	memcpy(c->body + c->body_len, data, len);
	c->body_len += len;
	return 0;
}

static size_t trailers(const struct grpc_script *s, nghttp2_nv *list)
{
	size_t n = 0;
	list[n++] = nv("grpc-status", s->status != NULL ? s->status : "0");
	if (s->details != NULL)
		list[n++] = nv("grpc-status-details-bin", s->details);
	return n;
}

static ssize_t give(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t len, uint32_t *flags,
		    nghttp2_data_source *source, void *ctx)
{
	struct grpc_receiver *r = ctx;
	size_t left = r->now->body_len - r->body_at, n = left < len ? left : len;
	nghttp2_nv list[2];
	(void)source;
	memcpy(buf, r->now->body + r->body_at, n);
	r->body_at += n;
	if (r->now->how == GRPC_TCP_RESET)
		r->reset = true;
	if (n == left) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (r->now->how != GRPC_TCP_RESET)
			nghttp2_submit_trailer(session, stream, list, trailers(r->now, list));
	}
	return (ssize_t)n;
}

static void answer(struct grpc_receiver *r, int32_t stream)
{
	const struct grpc_script *s = r->now;
	nghttp2_nv list[6] = {nv(":status", "200"), nv("content-type", "application/grpc")};
	size_t n = 2;
	if (s->how == GRPC_SILENCE)
		return;
	if (s->encoding != NULL)
		list[n++] = nv("grpc-encoding", s->encoding);
	if (s->how == GRPC_RST) {
		nghttp2_submit_headers(r->session, NGHTTP2_FLAG_NONE, stream, NULL, list, n, NULL);
		nghttp2_submit_rst_stream(r->session, NGHTTP2_FLAG_NONE, stream, s->code);
	} else if (s->body == NULL) {
		n += trailers(s, list + n);
		nghttp2_submit_response(r->session, stream, list, n, NULL);
	} else {
		const nghttp2_data_provider body = {.read_callback = give};
		r->body_at = 0;
		nghttp2_submit_response(r->session, stream, list, n, &body);
	}
	if (s->how == GRPC_GOAWAY) {
		nghttp2_submit_goaway(r->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR, NULL, 0);
		r->last = true;
	}
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc_receiver *r = ctx;
	(void)session;
	if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	pthread_mutex_lock(&r->lock);
	r->now = r->got_n < r->script_n ? &r->script[r->got_n] : &plain;
	r->got[r->got_n].connection = r->connections;
	r->got_n++;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	if (r->got_n == GRPC_CALLS_MAX)
		abort();
	answer(r, frame->hd.stream_id);
	return 0;
}

static void hang_up(struct grpc_receiver *r)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	if (r->reset)
		setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	nghttp2_session_del(r->session);
	r->session = NULL;
	close(r->fd);
	r->fd = -1;
	r->reset = r->last = false;
}

static void accept_one(struct grpc_receiver *r)
{
	nghttp2_session_callbacks *calls;
	const nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10};
	r->fd = accept(r->listener, NULL, NULL);
	r->connections++;
	nghttp2_session_callbacks_new(&calls);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	nghttp2_session_server_new(&r->session, calls, r);
	nghttp2_session_callbacks_del(calls);
	nghttp2_submit_settings(r->session, NGHTTP2_FLAG_NONE, &setting, 1);
}

/* Read and answer what there is; false where the connection is at its end. */
static bool serve_once(struct grpc_receiver *r, bool readable)
{
	uint8_t buf[16384];
	const uint8_t *out;
	if (readable) {
		ssize_t n = recv(r->fd, buf, sizeof buf, 0);
		if (n <= 0 || nghttp2_session_mem_recv(r->session, buf, (size_t)n) < 0)
			return false;
	}
	for (ssize_t n; (n = nghttp2_session_mem_send(r->session, &out)) > 0;) {
		for (ssize_t at = 0, sent; at < n; at += sent) {
			sent = send(r->fd, out + at, (size_t)(n - at), MSG_NOSIGNAL);
			if (sent <= 0)
				return false;
		}
	}
	/* what the client said meanwhile is still read: to close with bytes unread would be a reset, and take the answer along */
	if (r->last)
		shutdown(r->fd, SHUT_WR);
	return !r->reset;
}

static void *serve(void *arg)
{
	struct grpc_receiver *r = arg;
	for (;;) {
		struct pollfd set[] = {{.fd = r->stop[0], .events = POLLIN},
				       {.fd = r->fd >= 0 ? r->fd : r->listener, .events = POLLIN}};
		if (poll(set, 2, -1) < 0 || set[0].revents != 0)
			break;
		bool fresh = r->fd < 0;
		if (fresh)
			accept_one(r);
		if (!serve_once(r, !fresh))
			hang_up(r);
	}
	return NULL;
}

struct grpc_receiver *grpc_receiver_new(const struct grpc_script *script, size_t n)
{
	struct grpc_receiver *r = calloc(1, sizeof *r);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	r->script = script;
	r->script_n = n;
	r->fd = -1;
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(r->listener, (struct sockaddr *)&in, len) != 0 || listen(r->listener, 16) != 0 ||
	    getsockname(r->listener, (struct sockaddr *)&in, &len) != 0 || pipe(r->stop) != 0)
		abort();
	snprintf(r->url, sizeof r->url, "http://127.0.0.1:%u", ntohs(in.sin_port));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	if (pthread_create(&r->thread, NULL, serve, r) != 0)
		abort();
	return r;
}

const char *grpc_receiver_url(const struct grpc_receiver *r)
{
	return r->url;
}

size_t grpc_receiver_wait(struct grpc_receiver *r, size_t n)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	pthread_mutex_lock(&r->lock);
	while (r->got_n < n && pthread_cond_timedwait(&r->more, &r->lock, &end) == 0)
		;
	size_t got = r->got_n;
	pthread_mutex_unlock(&r->lock);
	return got;
}

const struct grpc_call *grpc_receiver_got(struct grpc_receiver *r, size_t i)
{
	return &r->got[i];
}

void grpc_receiver_free(struct grpc_receiver *r)
{
	if (write(r->stop[1], "x", 1) != 1)
		abort();
	pthread_join(r->thread, NULL);
	if (r->fd >= 0)
		hang_up(r);
	for (size_t i = 0; i < GRPC_CALLS_MAX; i++)
		free(r->got[i].body);
	close(r->listener);
	close(r->stop[0]);
	close(r->stop[1]);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->more);
	free(r);
}
