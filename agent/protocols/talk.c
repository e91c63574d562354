/*
 * Open requests of a connection, in order of their sending. See talk.h.
 */
#include "protocols/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/shared.h"

#define FNV_PRIME 0x100000001b3ULL

_Static_assert(sizeof(struct talk_call) <= MODEL_REQUEST_BLOCK, "MODEL_REQUEST_BLOCK");

void *talk_new(size_t size, const struct talk_ops *ops, struct model *m, struct conn *c)
{
	struct talk *t = calloc(1, size);

	if (!t)
		return NULL;
	t->ops = ops;
	t->m = m;
	t->c = c;
	t->counters = model_counters(m);
	return t;
}

struct talk_mark talk_now(const struct talk *t, bool client)
{
	bool out = (t->client_dir == DIR_OUT) == client;

	return (struct talk_mark){.ns = out ? t->e.t0 : t->e.t1, .stack = t->e.stack, .pid = t->e.pid, .tid = t->e.tid};
}

static void unlink_call(struct talk *t, struct talk_call *q)
{
	if (q == t->first)
		t->first = q->next;
	else
		q->prev->next = q->next;
	if (q == t->last)
		t->last = q->prev;
	else
		q->next->prev = q->prev;
	t->n--;
}

static void end_at(struct talk *t, struct talk_call *q, enum request_end how, uint64_t now_ns)
{
	unlink_call(t, q);
	q->r.end = how;
	q->r.t_end = now_ns > q->r.t_start ? now_ns : q->r.t_start;
	model_request_end(t->m, &q->r);
	model_request_free(t->m, q);
}

void talk_end(struct talk *t, struct talk_call *q, enum request_end how)
{
	end_at(t, q, how, t->e.t1);
}

void talk_end_unseen(struct talk *t, struct talk_call *q)
{
	q->r.end_unseen = !q->r.answered;
	end_at(t, q, REQUEST_DONE, q->r.t_last_byte ? q->r.t_last_byte : q->r.t_sent);
}

void talk_doubt(struct talk *t)
{
	for (struct talk_call *q = t->first; q; q = q->next)
		q->unseen = true;
}

void talk_end_doubted(struct talk *t)
{
	while (t->first && t->first->unseen)
		talk_end_unseen(t, t->first);
}

static void end_all(struct talk *t, enum request_end how, uint64_t now_ns)
{
	while (t->first) {
		if (t->first->unseen || t->first->doubted || (t->first->standing && how == REQUEST_ABANDONED))
			talk_end_unseen(t, t->first);
		else
			end_at(t, t->first, how, now_ns);
	}
}

void talk_lose(struct talk *t)
{
	t->counters->protocol_resync++;
	t->cut = false;
	while (t->first)
		talk_end_unseen(t, t->first);
	t->ops->lose(t);
}

void talk_opaque(struct talk *t)
{
	t->opaque = true;
	model_set_policy(t->m, t->c, WIRE_POLICY_SIZES);
}

void talk_wide(struct talk *t)
{
	if (t->wide || t->opaque)
		return;
	t->wide = true;
	model_set_policy(t->m, t->c, WIRE_POLICY_HEAD_16K);
}

struct talk_call *talk_call_new(struct talk *t, const struct talk_mark *from, uint64_t bytes)
{
	if (t->n >= LIMIT_OPEN_CALLS) {
		t->counters->limit[LIMIT_REACHED_PIPELINE]++;
		talk_lose(t);
		return NULL;
	}
	struct talk_call *q = model_request_new(t->m);
	if (!q)
		return NULL;
	struct request *r = &q->r;
	r->conn = t->c;
	r->protocol = t->ops->protocol;
	r->area = t->ops->area;
	r->system = t->ops->system;
	r->server = t->client_dir == DIR_IN;
	memcpy(r->space, t->space, sizeof(r->space));
	r->retry_after_ns = -1;
	r->t_start = from->ns;
	r->t_sent = t->e.t1 > from->ns ? t->e.t1 : from->ns;
	r->pid = from->pid;
	r->tid = from->tid;
	r->stack = from->stack;
	r->request_bytes = bytes;
	return q;
}

void talk_announce(struct talk *t, struct talk_call *q)
{
	q->prev = t->last;
	q->next = NULL;
	if (t->last)
		t->last->next = q;
	else
		t->first = q;
	t->last = q;
	if (++t->n > 1) /* pipelined: their answers may come in one call */
		talk_wide(t);
	if (q->r.method[0] != '_') { /* "_OTHER" */
		t->alike = strcmp(t->last_method, q->r.method) == 0 ? t->alike + 1 : 1;
		memcpy(t->last_method, q->r.method, sizeof(t->last_method));
	}
	model_request_start(t->m, &q->r);
}

void talk_only_method(struct talk_call *q)
{
	memcpy(q->r.summary, q->r.method, sizeof(q->r.method));
	memcpy(q->r.text, q->r.method, sizeof(q->r.method));
}

void talk_cut(struct talk *t)
{
	t->cut = true;
	t->cut_from = talk_now(t, true);
	snprintf(t->cut_method, sizeof(t->cut_method), "%s", t->alike > 1 ? t->last_method : "_OTHER");
	talk_wide(t);
}

struct talk_call *talk_call_unseen(struct talk *t)
{
	struct talk_call *const q = t->cut ? talk_call_new(t, &t->cut_from, 0) : NULL;

	if (!q)
		return NULL;
	memcpy(q->r.method, t->cut_method, sizeof(q->r.method));
	if (q->r.area == AREA_DB)
		talk_only_method(q);

	talk_announce(t, q);
	return q;
}

void talk_answer(struct talk *t, struct talk_call *q, uint64_t bytes)
{
	if (!q->r.t_first_byte) {
		uint64_t ns = talk_now(t, false).ns;
		q->r.t_first_byte = ns > q->r.t_start ? ns : q->r.t_start;
	}
	q->r.t_last_byte = t->e.t1;
	q->r.response_bytes += bytes;
	q->r.answered = true;
}

struct talk_call *talk_find(const struct talk *t, uint64_t key)
{
	struct talk_call *q = t->first;

	while (q && q->key != key)
		q = q->next;
	return q;
}

void talk_fail(struct talk_call *q, const char *name, size_t len, bool transient)
{
	q->r.failed = true;
	q->r.transient = transient;
	talk_text(q->r.status_text, sizeof(q->r.status_text), (const uint8_t *)name, len);
}

void talk_fail_number(struct talk_call *q, int code, bool transient)
{
	char text[16];

	talk_fail(q, text, (size_t)snprintf(text, sizeof(text), "%d", code), transient);
	q->r.status = code;
}

void talk_text(char *out, size_t size, const uint8_t *bytes, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = bytes[i] > 32 && bytes[i] < 127 ? (char)bytes[i] : '?';
	out[n] = '\0';
}

uint64_t talk_hash(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * FNV_PRIME;
	return hash ? hash : 1;
}

static void learn_sides(struct talk *t, enum direction d, const uint8_t *bytes, size_t len)
{
	t->sides_known = true;
	if (t->c->role == CONN_CLIENT)
		t->client_dir = DIR_OUT;
	else if (t->c->role == CONN_SERVER)
		t->client_dir = DIR_IN;
	else
		t->client_dir = t->ops->is_client(bytes, len) == (d == DIR_OUT) ? DIR_OUT : DIR_IN;
}

void talk_data(void *state, enum direction d, const struct event *e, const uint8_t *bytes, size_t len, size_t gap)
{
	struct talk *t = state;

	t->e = *e;
	t->behind = e->data && bytes != e->data;
	t->e.data = NULL;
	if (!t->sides_known && len)
		learn_sides(t, d, bytes, len);
	if (len == 0 && gap == 0) {
		/* A server may still answer what it has read whole; a client has no answer to hope for. */
		if (e->ret < 0)
			end_all(t, REQUEST_RESET, e->t1);
		else if (d == DIR_IN && t->client_dir == DIR_OUT)
			end_all(t, REQUEST_EOF, e->t1);
		return;
	}
	if (!t->opaque)
		t->ops->feed(t, d == t->client_dir, bytes, len, gap);
}

void talk_close(void *state, const struct event *e, enum conn_end how)
{
	static const enum request_end ends[] = {
		[CONN_OPEN] = REQUEST_PENDING, [CONN_CLOSED_BY_US] = REQUEST_ABANDONED,   [CONN_EOF] = REQUEST_EOF,
		[CONN_RESET] = REQUEST_RESET,  [CONN_CONNECT_FAILED] = REQUEST_ABANDONED,
	};
	struct talk *t = state;

	end_all(t, ends[how], e ? e->t1 : model_now(t->m));
	if (t->ops->done)
		t->ops->done(t);
	free(t);
}

void talk_resync(void *state)
{
	struct talk *t = state;

	if (!t->opaque)
		talk_lose(t);
}
