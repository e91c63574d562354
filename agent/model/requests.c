/*
 * Requests that protocols announced and did not end yet, in order of appearance: a session that ends tells them as pending.
 * The structs are the protocols'; the list is the model's. The session's thread only.
 */
#include <stdlib.h>

#include "model/private.h"

struct open_request {
	struct request *request;
	UT_hash_handle hh; /* by the request's address; uthash keeps the order of adding */
};

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
	HASH_ADD_PTR(m->requests, request, o);
	count(r, true);
	heap_serve(m, r);
	TELL(m, request_start, r);
}

void model_request_end(struct model *m, struct request *r)
{
	struct open_request *o;

	HASH_FIND_PTR(m->requests, &r, o);
	if (!o)
		return;
	HASH_DEL(m->requests, o);
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
		free(o);
	}
}
