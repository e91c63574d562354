/*
 * Requests that protocols announced and did not end yet, in order of appearance: a session that ends tells them as pending; and which of
 * the incoming ones a thread is serving. The structs are the protocols'; the lists are the model's. The session's thread only.
 */
#include <stdlib.h>

#include "model/private.h"

struct answering;

struct open_request {
	struct request *request;
	uint64_t id;
	struct answering *answering; /* its thread's, NULL if it is none of ours to answer */
	UT_hash_handle hh;           /* by the request's address; uthash keeps the order of adding */
};

/* A thread that serves: how many incoming requests are open on it, and the xor of their ids, which is the id of one that is alone. */
struct answering {
	uint64_t thread; /* pid << 32 | tid */
	uint64_t ids;
	uint32_t open;
	UT_hash_handle hh;
};

static struct answering *answering_find(const struct model *m, uint32_t pid, uint32_t tid)
{
	const uint64_t thread = (uint64_t)pid << 32 | tid;
	struct answering *s = NULL;

	if (m->answering)
		HASH_FIND(hh, m->answering, &thread, sizeof(thread), s);
	return s;
}

static void serve_start(struct model *m, struct open_request *o)
{
	const struct request *r = o->request;
	struct answering *s = answering_find(m, r->pid, r->tid);

	if (!r->server)
		return;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		s->thread = (uint64_t)r->pid << 32 | r->tid;
		HASH_ADD(hh, m->answering, thread, sizeof(s->thread), s);
	}
	s->ids ^= r->id;
	s->open++;
	o->answering = s;
}

static void serve_end(struct model *m, const struct open_request *o)
{
	struct answering *s = o->answering;

	if (!s)
		return;
	s->ids ^= o->id;
	if (--s->open > 0)
		return;
	HASH_DEL(m->answering, s);
	free(s);
}

uint64_t model_serving(const struct model *m, uint32_t pid, uint32_t tid)
{
	const struct answering *s = answering_find(m, pid, tid);

	return s && s->open == 1 ? s->ids : 0;
}

/* A connection waits for the rest of an answer, too: event loops are told of its waits until the request has ended. */
static void count(const struct request *r, bool more)
{
	struct connx *c = (struct connx *)r->conn;

	if (r->server || !c)
		return;
	c->requests += more ? 1U : -1U;
	epoll_update(c);
}

void model_request_start(struct model *m, struct request *r)
{
	struct open_request *o = calloc(1, sizeof(*o));

	if (m->finished || !o) {
		free(o);
		return;
	}
	r->id = ++m->next_request;
	o->request = r;
	o->id = r->id;
	HASH_ADD_PTR(m->requests, request, o);
	count(r, true);
	heap_serve(m, r);
	serve_start(m, o);
	TELL(m, request_start, r);
}

void model_request_end(struct model *m, struct request *r)
{
	struct open_request *o;

	HASH_FIND_PTR(m->requests, &r, o);
	if (!o)
		return;
	HASH_DEL(m->requests, o);
	serve_end(m, o);
	free(o);
	count(r, false);
	heap_served(m, r);
	TELL(m, request_end, r);
}

void requests_finish(struct model *m, uint64_t now_ns)
{
	while (m->requests) {
		struct request *r = m->requests->request;
		r->end = REQUEST_PENDING;
		r->t_end = now_ns;
		model_request_end(m, r);
	}
}

void requests_done(struct model *m)
{
	while (m->requests) {
		struct open_request *o = m->requests;
		HASH_DEL(m->requests, o);
		serve_end(m, o);
		free(o);
	}
}
