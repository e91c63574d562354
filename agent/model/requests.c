/*
 * Requests that protocols announced and did not end yet, in order of appearance: a session that ends tells them as pending; and which of
 * the incoming ones a thread is serving. The structs are the protocols', from a pool of the model's; the lists are the model's. The
 * session's thread only.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "model/private.h"

#define ANSWERING_KEPT 256U

/* A thread that serves: how many incoming requests are open on it, the xor of their ids, which is the id of one that is alone, and the one
 * that began last. */
struct answering {
	uint64_t thread; /* pid << 32 | tid */
	uint64_t ids;
	struct request *latest; /* NULL: it has ended */
	uint32_t open;
	UT_hash_handle hh;
};

void requests_start(struct model *m)
{
	m->request_blocks = (struct pool){.size = MODEL_REQUEST_BLOCK, .max = LIMIT_SPARE_REQUESTS};
	m->answering_blocks = (struct pool){.size = sizeof(struct answering), .max = ANSWERING_KEPT};
}

void *model_request_new(struct model *m)
{
	struct request *r = pool_get(&m->request_blocks);

	if (!r)
		return NULL;
	/* Long texts are only made empty: clearing them whole would cost more than most requests. */
	memset(r, 0, offsetof(struct request, path));
	r->path[0] = r->query[0] = r->host[0] = r->target[0] = r->summary[0] = r->text[0] = '\0';
	memset((char *)r + sizeof(*r), 0, MODEL_REQUEST_BLOCK - sizeof(*r));
	return r;
}

void model_request_free(struct model *m, void *request)
{
	if (request)
		pool_put(&m->request_blocks, request);
}

static struct answering *answering_find(const struct model *m, uint32_t pid, uint32_t tid)
{
	const uint64_t thread = (uint64_t)pid << 32 | tid;
	struct answering *s = m->answering_last;

	if (s && s->thread == thread)
		return s;
	s = NULL;
	if (m->answering)
		HASH_FIND(hh, m->answering, &thread, sizeof(thread), s);
	return s;
}

static void serve_start(struct model *m, struct request *r)
{
	struct answering *s;

	if (!r->server)
		return;
	s = answering_find(m, r->pid, r->tid);
	if (!s) {
		s = pool_get(&m->answering_blocks);
		if (!s)
			return;
		*s = (struct answering){.thread = (uint64_t)r->pid << 32 | r->tid};
		HASH_ADD(hh, m->answering, thread, sizeof(s->thread), s);
	}
	m->answering_last = s;
	s->ids ^= r->id;
	s->latest = r;
	s->open++;
	r->open.answering = s;
}

static void serve_end(struct model *m, struct request *r)
{
	struct answering *s = r->open.answering;

	if (!s)
		return;
	s->ids ^= r->id;
	if (s->latest == r)
		s->latest = NULL;
	/* Most threads serve again soon. */
	if (--s->open > 0 || HASH_COUNT(m->answering) <= ANSWERING_KEPT)
		return;
	if (m->answering_last == s)
		m->answering_last = NULL;
	HASH_DEL(m->answering, s);
	pool_put(&m->answering_blocks, s);
}

uint64_t model_serving(const struct model *m, uint32_t pid, uint32_t tid)
{
	const struct answering *s = answering_find(m, pid, tid);

	return s && s->open == 1 ? s->ids : 0;
}

struct request *requests_latest(const struct model *m, uint32_t pid, uint32_t tid)
{
	const struct answering *s = answering_find(m, pid, tid);

	return s ? s->latest : NULL;
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

static void unlink_request(struct model *m, struct request *r)
{
	DL_DELETE2(m->requests, r, open.prev, open.next);
	serve_end(m, r);
	r->open = (struct request_open){0};
}

void model_request_start(struct model *m, struct request *r)
{
	if (m->finished)
		return;
	r->id = ++m->next_request;
	r->open.here = true;
	DL_APPEND2(m->requests, r, open.prev, open.next);
	count(r, true);
	serve_start(m, r);
	TELL(m, request_start, r);
}

void model_request_end(struct model *m, struct request *r)
{
	if (!r->open.here)
		return;
	unlink_request(m, r);
	count(r, false);
	TELL(m, request_end, r);
}

void requests_finish(struct model *m, uint64_t now_ns)
{
	while (m->requests) {
		struct request *r = m->requests;
		r->end = REQUEST_PENDING;
		r->t_end = now_ns;
		model_request_end(m, r);
	}
}

void requests_done(struct model *m)
{
	while (m->requests)
		unlink_request(m, m->requests);
}

void requests_free(struct model *m)
{
	struct answering *s, *next;

	HASH_ITER (hh, m->answering, s, next) {
		HASH_DEL(m->answering, s);
		free(s);
	}
	pool_done(&m->request_blocks);
	pool_done(&m->answering_blocks);
}
