/*
 * HTTP/1.1: pairs the requests of one direction with the responses of the other, in order, and tells the model.
 *
 * One struct http1 a connection, owned by the runner (protocols.c); requests in flight hang on it. The session's thread only.
 */
#include "protocols/http1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/http1_reader.h"
#include "wire/shared.h"

#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

struct http1_request {
	struct request r; /* first: what the model sees */
	bool is_head, is_connect;
	bool is_last;   /* it asks for the end of the connection */
	bool body_open; /* the request's own body is not complete */
	bool expects;   /* its body waits for an interim answer, and none came so far */
	struct http1_request *next;
};
_Static_assert(sizeof(struct http1_request) <= MODEL_REQUEST_BLOCK, "MODEL_REQUEST_BLOCK");

struct http1 {
	struct model *m;
	struct conn *c;
	struct counters *counters;
	struct http1_reader requests, responses;
	bool sides_known;
	enum direction request_dir;
	struct event e; /* the one under way, or the last one, without its data */
	struct http1_request *first, *last;
	unsigned int n;
	struct http1_request *sending; /* whose body is under way */
	uint64_t start_ns;             /* of the request message under way */
	uint32_t start_stack, start_pid, start_tid;
	bool final;           /* the response under way is not an interim one */
	bool until_close;     /* the response under way ends with the connection */
	bool response_lost;   /* its end cannot be known */
	uint64_t answer_ns;   /* first byte of the response under way */
	uint64_t answer_seen; /* its bytes that are already counted */
	uint64_t asked_seen;  /* bytes of the request under way that are already counted */
	bool wide;            /* captured further than other connections */
	bool h2c;             /* the server has gone over to HTTP/2 (RFC 7540 3.2) */
	bool tunnel;          /* what follows is between the client and another peer, of whatever protocol (RFC 9110 9.3.6) */
};

static uint64_t begin_ns(const struct http1 *s, enum direction d)
{
	return d == DIR_OUT ? s->e.t0 : s->e.t1;
}

static enum direction response_dir(const struct http1 *s)
{
	return s->request_dir == DIR_OUT ? DIR_IN : DIR_OUT;
}

static void finish_first(struct http1 *s, enum request_end how, uint64_t now_ns)
{
	struct http1_request *q = s->first;

	s->first = q->next;
	if (!s->first)
		s->last = NULL;
	s->n--;
	if (s->sending == q)
		s->sending = NULL;
	q->r.end = how;
	q->r.t_end = now_ns;
	model_request_end(s->m, &q->r);
	model_request_free(s->m, q);
	s->until_close = false;
	s->response_lost = false;
	s->final = false;
}

/* Its end was out of sight: with the answer's status in hand it is done; without, nothing is known. */
static void finish_unseen(struct http1 *s, uint64_t now_ns)
{
	struct request *r = &s->first->r;

	r->end_unseen = r->status == 0;
	finish_first(s, REQUEST_DONE, r->t_last_byte ? r->t_last_byte : now_ns);
}

/* Who is sent elsewhere has the whole answer in the head: several clients close the connection then, and leave the body. */
static bool is_redirected(const struct request *r, enum request_end how)
{
	return how == REQUEST_ABANDONED && !r->server && r->status >= 300 && r->status < 400;
}

/* All that is open ends now; what was answered as far as could be seen is done. */
static void finish_all(struct http1 *s, enum request_end how, bool closed, uint64_t now_ns)
{
	while (s->first) {
		const struct request *r = &s->first->r;
		bool done = r->status && s->final && (s->response_lost || (s->until_close && closed) || is_redirected(r, how));
		finish_first(s, done ? REQUEST_DONE : how, done && s->response_lost ? s->first->r.t_last_byte : now_ns);
	}
}

/* The place is lost on both sides: what was under way ends without a verdict. */
static void lose_all(struct http1 *s)
{
	http1_reader_lose(&s->requests);
	http1_reader_lose(&s->responses);
	while (s->first)
		finish_unseen(s, model_now(s->m));
}

static void go_opaque(struct http1 *s)
{
	s->requests.at = HTTP1_AT_OPAQUE;
	s->responses.at = HTTP1_AT_OPAQUE;
	if (!s->tunnel)
		model_set_policy(s->m, s->c, WIRE_POLICY_SIZES);
}

/* -- the direction of requests -- */

static void request_starts(void *ctx)
{
	struct http1 *s = ctx;

	/* With the last response's end out of sight, the next request shows that it is over. */
	if (s->first && s->responses.at == HTTP1_AT_LOST)
		finish_unseen(s, begin_ns(s, s->request_dir));
	s->sending = NULL;
	s->asked_seen = 0;
	s->start_ns = begin_ns(s, s->request_dir);
	s->start_stack = s->e.stack;
	s->start_pid = s->e.pid;
	s->start_tid = s->e.tid;
}

static enum http1_body request_framing(const struct http1_head *h)
{
	if (h->ambiguous || h->other_coding)
		return HTTP1_BODY_UNKNOWN;
	if (h->chunked)
		return HTTP1_BODY_CHUNKED;
	return h->has_length && h->length ? HTTP1_BODY_LENGTH : HTTP1_BODY_NONE;
}

static enum http1_body request_head(void *ctx, const struct http1_head *h)
{
	struct http1 *s = ctx;

	if (s->n >= LIMIT_HTTP_PIPELINE) {
		s->counters->limit[LIMIT_REACHED_PIPELINE]++;
		lose_all(s);
		return HTTP1_BODY_UNKNOWN;
	}
	struct http1_request *q = model_request_new(s->m);
	if (!q)
		return HTTP1_BODY_UNKNOWN;
	struct request *r = &q->r;
	r->conn = s->c;
	r->protocol = &http1_protocol;
	r->server = s->request_dir == DIR_IN;
	memcpy(r->method, h->method, sizeof(h->method));
	memcpy(r->method_original, h->method_original, sizeof(r->method_original));
	memcpy(r->path, h->path, strlen(h->path) + 1);
	memcpy(r->query, h->query, strlen(h->query) + 1);
	memcpy(r->host, h->host, strlen(h->host) + 1);
	memcpy(r->traceparent, h->traceparent, sizeof(r->traceparent));
	r->idempotency_key = h->idempotency_key;
	r->reads = h->reads;
	r->attempt = h->attempt;
	r->waits = h->waits;
	r->retry_after_ns = -1;
	r->deadline_ns = h->deadline_ns;
	r->version = h->version;
	r->t_start = s->start_ns;
	r->t_sent = s->e.t1;
	r->pid = s->start_pid;
	r->tid = s->start_tid;
	r->stack = s->start_stack;
	r->request_bytes = s->requests.bytes;
	s->asked_seen = s->requests.bytes;
	q->is_head = strcmp(h->method, "HEAD") == 0;
	q->is_connect = strcmp(h->method, "CONNECT") == 0;
	q->is_last = http1_head_is_last(h);
	q->body_open = true;
	q->expects = h->expects;
	if (s->last)
		s->last->next = q;
	else
		s->first = q;
	s->last = q;
	s->n++;
	s->sending = q;
	if (s->n > 1 && !s->wide) { /* pipelined: their answers may come in one call */
		s->wide = true;
		model_set_policy(s->m, s->c, WIRE_POLICY_HEAD_16K);
	}
	model_request_start(s->m, r);
	return request_framing(h);
}

static void request_seen(struct http1 *s)
{
	if (!s->sending || s->requests.bytes == s->asked_seen)
		return;
	s->sending->r.request_bytes += s->requests.bytes - s->asked_seen;
	s->sending->r.t_sent = s->e.t1;
	s->asked_seen = s->requests.bytes;
}

static void request_body(void *ctx, const uint8_t *bytes, size_t len, size_t gap)
{
	struct http1 *s = ctx;
	uint64_t hash;

	if (!s->sending)
		return;
	s->sending->expects = false;
	hash = s->sending->r.body_hash ? s->sending->r.body_hash : FNV_BASIS;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	if (gap)
		hash = (hash ^ gap) * FNV_PRIME;
	s->sending->r.body_hash = hash ? hash : 1;
}

static void request_ends(void *ctx)
{
	struct http1 *s = ctx;

	request_seen(s);
	if (s->sending)
		s->sending->body_open = false;
	s->sending = NULL;
}

static void request_lost(void *ctx)
{
	request_seen(ctx);
}

/* -- the direction of responses -- */

static void response_starts(void *ctx)
{
	struct http1 *s = ctx;

	/* The one before was lost on the way; it had been answered. */
	if (s->first && s->response_lost)
		finish_first(s, REQUEST_DONE, s->first->r.t_last_byte);
	s->final = false;
	s->until_close = false;
	s->response_lost = false;
	s->answer_seen = 0;
	s->answer_ns = begin_ns(s, response_dir(s));
	if (s->first && s->first->r.t_first_byte == 0)
		s->first->r.t_first_byte = s->answer_ns;
}

static enum http1_body response_framing(const struct http1 *s, const struct http1_head *h)
{
	const struct http1_request *q = s->first;

	if (h->status < 200 || h->status == 204 || h->status == 304 || (q && q->is_head) || (!q && h->has_length && h->length == 0))
		return HTTP1_BODY_NONE;
	/* Of a request that was not seen: a HEAD's answer has no body, whatever its fields say. */
	if (h->ambiguous || !q)
		return HTTP1_BODY_UNKNOWN;
	if (h->chunked)
		return HTTP1_BODY_CHUNKED;
	if (h->has_length)
		return h->length && !h->other_coding ? HTTP1_BODY_LENGTH
		       : h->other_coding             ? HTTP1_BODY_UNTIL_CLOSE
						     : HTTP1_BODY_NONE;
	return HTTP1_BODY_UNTIL_CLOSE;
}

static void response_seen(struct http1 *s)
{
	if (s->first && s->responses.bytes != s->answer_seen) {
		s->first->r.response_bytes += s->responses.bytes - s->answer_seen;
		s->first->r.t_last_byte = s->e.t1;
	}
	s->answer_seen = s->responses.bytes;
}

static enum http1_body response_head(void *ctx, const struct http1_head *h)
{
	struct http1 *s = ctx;
	struct http1_request *q = s->first;

	s->final = h->status >= 200 || h->status == 101;
	response_seen(s);
	if (!q)
		return response_framing(s, h);
	if (s->final) {
		q->r.status = h->status;
		q->r.retry_after_ns = h->retry_after_ns;
		s->c->peer_ends = !q->is_last && http1_head_is_last(h);
	}
	if (h->status == 101 || (q->is_connect && h->status >= 200 && h->status < 300)) {
		s->h2c = h->status == 101 && h->h2c;
		s->tunnel = h->status != 101;
		finish_first(s, REQUEST_DONE, s->e.t1);
		return HTTP1_BODY_OPAQUE;
	}
	enum http1_body body = response_framing(s, h);
	s->until_close = body == HTTP1_BODY_UNTIL_CLOSE;
	return body;
}

static void response_body(void *ctx, const uint8_t *bytes, size_t len, size_t gap)
{
	(void)bytes;
	(void)len;
	(void)gap;
	response_seen(ctx);
}

static void response_ends(void *ctx)
{
	struct http1 *s = ctx;

	response_seen(s);
	if (!s->first || !s->final)
		return;
	/* Refused before its body: many clients then do not send it (RFC 9110 10.1.1). */
	if (s->first->expects && s->first == s->sending)
		http1_reader_forgo(&s->requests);
	finish_first(s, REQUEST_DONE, s->e.t1);
}

static void response_lost(void *ctx)
{
	struct http1 *s = ctx;

	response_seen(s);
	s->response_lost = s->first && s->final;
}

static const struct http1_reader_ops request_ops = {
	.start = request_starts,
	.head = request_head,
	.body = request_body,
	.end = request_ends,
	.lost = request_lost,
};

static const struct http1_reader_ops response_ops = {
	.start = response_starts,
	.head = response_head,
	.body = response_body,
	.end = response_ends,
	.lost = response_lost,
};

/* -- the protocol's entry -- */

static void *new_heads(void)
{
	return http1_heads_new();
}

static void free_heads(void *heads)
{
	http1_heads_free(heads);
}

static void *http1_open(struct model *m, struct conn *c)
{
	struct http1 *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->m = m;
	s->c = c;
	s->counters = model_counters(m);
	struct http1_heads *heads = model_shared(m, new_heads, free_heads);
	s->requests =
		(struct http1_reader){.ops = &request_ops, .ctx = s, .counters = s->counters, .heads = heads, .request = true};
	s->responses = (struct http1_reader){.ops = &response_ops, .ctx = s, .counters = s->counters, .heads = heads};
	return s;
}

/* The client is who sends the request line; a connection of unknown origin shows it by its first bytes. */
static void learn_sides(struct http1 *s, enum direction d, const uint8_t *bytes, size_t len)
{
	bool request = !(len >= 5 && memcmp(bytes, "HTTP/", 5) == 0);

	s->sides_known = true;
	if (s->c->role == CONN_CLIENT)
		s->request_dir = DIR_OUT;
	else if (s->c->role == CONN_SERVER)
		s->request_dir = DIR_IN;
	else
		s->request_dir = request == (d == DIR_OUT) ? DIR_OUT : DIR_IN;
}

/* The end of input: a client has no answer to hope for; a server may still answer what it has read whole. */
static void on_eof(struct http1 *s)
{
	if (s->request_dir == DIR_OUT) {
		finish_all(s, REQUEST_EOF, true, s->e.t1);
		s->responses.at = HTTP1_AT_OPAQUE;
	} else if (s->last && s->last->body_open && s->last == s->sending && s->n == 1 && s->last->r.status == 0) {
		finish_all(s, REQUEST_EOF, false, s->e.t1);
		s->requests.at = HTTP1_AT_OPAQUE;
	}
}

static void http1_data(void *state, enum direction d, const struct event *e, const uint8_t *bytes, size_t len, size_t gap)
{
	struct http1 *s = state;

	s->e = *e;
	s->e.data = NULL;
	if (!s->sides_known && len)
		learn_sides(s, d, bytes, len);
	if (len == 0 && gap == 0) {
		if (e->ret < 0)
			finish_all(s, REQUEST_RESET, false, e->t1);
		else if (d == DIR_IN)
			on_eof(s);
		return;
	}
	bool request = d == s->request_dir;
	http1_reader_feed(request ? &s->requests : &s->responses, bytes, len, gap, e->t1);
	if (request)
		request_seen(s);
	if (s->responses.at == HTTP1_AT_OPAQUE && s->requests.at != HTTP1_AT_OPAQUE)
		go_opaque(s);
}

static const char *http1_turned(void *state, const uint8_t *bytes, size_t len, size_t *ret_at)
{
	const struct http1 *s = state;
	const uint8_t *end = s->h2c || s->tunnel ? memmem(bytes, len, "\r\n\r\n", 4) : NULL;

	*ret_at = end ? (size_t)(end - bytes) + 4 : len;
	return s->h2c ? "http2" : s->tunnel ? "" : NULL;
}

static void http1_close(void *state, const struct event *e, enum conn_end how)
{
	static const enum request_end ends[] = {
		[CONN_OPEN] = REQUEST_PENDING, [CONN_CLOSED_BY_US] = REQUEST_ABANDONED,   [CONN_EOF] = REQUEST_EOF,
		[CONN_RESET] = REQUEST_RESET,  [CONN_CONNECT_FAILED] = REQUEST_ABANDONED,
	};
	struct http1 *s = state;

	finish_all(s, ends[how], e != NULL, e ? e->t1 : model_now(s->m));
	http1_reader_done(&s->requests);
	http1_reader_done(&s->responses);
	free(s);
}

static void http1_resync(void *state)
{
	lose_all(state);
}

const struct protocol http1_protocol = {
	.name = "http",
	.doc = "HTTP/1.0 and HTTP/1.1 requests, as client and server",
	.probe = http1_head_probe,
	.open = http1_open,
	.data = http1_data,
	.turned = http1_turned,
	.close = http1_close,
	.resync = http1_resync,
};
