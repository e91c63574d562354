/*
 * Stack traces in the service's answers: what a runtime tells its developers, told to whoever asked. Bytes of an answer are looked at as they
 * are sent, in the clear or inside of TLS; the answer's status says how sure it is that the text is not a document about traces.
 *
 * Owns d->answers and a note at each connection that serves HTTP (slot DATA_SLOT). The session's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detectors/data.h"
#include "detectors/evidence.h"
#include "detectors/stack_text.h"
#include "protocols/protocol.h"

#define DATA_SLOT 2U
#define ANSWERS_MAX 256U
#define FAILED_STATUS 400

/* A connection: the answer under way, and the request it is for. */
struct serving {
	struct stack_text text;
	bool told;      /* of this answer */
	uint32_t stack; /* of the write that had the trace's text */
	uint64_t request_id;
	int status; /* 0 until the answer ended */
	char method[32], path[201];
};

struct answer_key {
	uint64_t site;
	const char *language;
};

struct data_answers {
	struct answer_key key;
	uint32_t stack;
	uint64_t count, told, first_ns, last_ns, request_id;
	int status;
	bool failed; /* one with an error's status was among them */
	char operation[LIMIT_PEER_TEXT];
	UT_hash_handle hh;
};

static bool is_http(const struct conn *c)
{
	return c->role == CONN_SERVER && c->protocol && !strncmp(c->protocol->name, "http", 4);
}

static void note(struct data *d, struct serving *s, const char *language, uint64_t now_ns)
{
	struct answer_key key;
	struct data_answers *a;

	s->told = true;
	memset(&key, 0, sizeof key);
	key.site = evidence_site_hash(d->env.stacks, s->stack);
	key.language = language;
	HASH_FIND(hh, d->answers, &key, sizeof key, a);
	if (!a) {
		if (HASH_COUNT(d->answers) >= ANSWERS_MAX || !(a = calloc(1, sizeof *a))) {
			d->env.counters->limit[LIMIT_REACHED_FINDINGS]++;
			return;
		}
		a->key = key;
		a->stack = s->stack;
		a->first_ns = now_ns;
		snprintf(a->operation, sizeof a->operation, "%s %s", s->method, s->path);
		HASH_ADD(hh, d->answers, key, sizeof key, a);
	}
	a->count++;
	a->last_ns = now_ns;
	a->status = s->status;
	a->request_id = s->request_id;
	a->failed = a->failed || s->status >= FAILED_STATUS;
}

/* The end of an answer may be told before its last bytes are, or after. */
static void settle(struct data *d, struct serving *s, uint64_t now_ns)
{
	const char *language = s->status && !s->told ? stack_text_language(&s->text) : NULL;

	if (language)
		note(d, s, language, now_ns);
}

/* -- answers that were looked at a moment ago, and hold nothing of a trace: a service says the same again and again -- */

static struct data_plain *plain_place(struct data *d, const uint8_t *bytes, size_t len)
{
	return len <= DATA_PLAIN_BYTES ? &d->plain[(len + bytes[len - 1] + bytes[len / 2]) % DATA_PLAIN_PLACES] : NULL;
}

static bool plain_is(const struct data_plain *p, const uint8_t *bytes, size_t len)
{
	return p && p->len == len && memcmp(p->bytes, bytes, len) == 0;
}

static void plain_keep(struct data_plain *p, const uint8_t *bytes, size_t len)
{
	if (!p)
		return;
	p->len = len;
	memcpy(p->bytes, bytes, len);
}

void data_trace_bytes(void *ctx, struct conn *c, enum direction dir, const struct event *e)
{
	struct serving *s;

	if (dir != DIR_OUT || !e->data_len || c->role != CONN_SERVER || !(s = c->slot[DATA_SLOT]) || s->told)
		return;
	const struct stack_text before = s->text;
	const size_t len = e->data_len - event_tail_len(e);
	struct data_plain *const plain = plain_place(ctx, e->data, len);

	const bool nothing = memcmp(&before, &(struct stack_text){0}, sizeof before) == 0;

	/* behind the beginning of a trace it may be more of it */
	if (nothing && plain_is(plain, e->data, len))
		return;
	stack_text_add(&s->text, e->data, len);
	if (memcmp(&before, &s->text, sizeof before) != 0)
		s->stack = e->stack;
	else if (nothing)
		plain_keep(plain, e->data, len);
	settle(ctx, s, e->t1);
}

void data_trace_start(void *ctx, struct request *r)
{
	struct serving *s;

	(void)ctx;
	if (!r->server || r->area != AREA_HTTP || !r->conn || !is_http(r->conn))
		return;
	s = r->conn->slot[DATA_SLOT];
	if (!s)
		s = r->conn->slot[DATA_SLOT] = calloc(1, sizeof *s);
	else
		*s = (struct serving){.status = 0};
	if (s)
		s->request_id = r->id;
}

void data_trace_end(void *ctx, struct request *r)
{
	struct serving *s = r->server && r->area == AREA_HTTP && r->conn ? r->conn->slot[DATA_SLOT] : NULL;

	if (!s || !r->status)
		return;
	s->status = r->status;
	s->request_id = r->id;
	memcpy(s->method, r->method, sizeof s->method);
	memcpy(s->path, r->path, strnlen(r->path, sizeof s->path - 1) + 1);
	s->path[sizeof s->path - 1] = '\0';
	settle(ctx, s, r->t_end);
}

void data_trace_close(void *ctx, struct conn *c, const struct event *e)
{
	(void)ctx;
	(void)e;
	free(c->slot[DATA_SLOT]);
	c->slot[DATA_SLOT] = NULL;
}

void data_traces_tell(struct data *d)
{
	char message[LIMIT_PEER_TEXT + 160];

	for (struct data_answers *a = d->answers; a; a = a->hh.next) {
		if (a->count == a->told)
			continue;
		snprintf(message, sizeof message, "%s answered with a %s stack trace, %" PRIu64 " times, last with status %d",
			 a->operation, a->key.language, a->count, a->status);
		const struct finding f = {
			.rule = data_trace_rule,
			.severity = data_trace_rule->severity,
			.confidence = a->failed ? CONFIDENCE_OBSERVED : CONFIDENCE_SUSPECTED,
			.peer = "",
			.operation = a->operation,
			.stack = a->stack,
			.key = a->key.language,
			.count = a->count - a->told,
			.first_seen_ns = a->first_ns,
			.last_seen_ns = a->last_ns,
			.evidence = json_pack("{s:s, s:I, s:i}", "language", a->key.language, "answers", (json_int_t)a->count,
					      "status", a->status),
			.message = message,
			.request_id = a->request_id,
		};
		d->env.emit(d->env.emit_ctx, &f);
		a->told = a->count;
	}
}

void data_traces_free(struct data *d)
{
	struct data_answers *a, *next;

	HASH_ITER (hh, d->answers, a, next) {
		HASH_DEL(d->answers, a);
		free(a);
	}
}
