/*
 * Trace structure. An open request's ids are worked out as late as possible, since its traceparent may arrive after its first byte.
 */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "report/stable_hash.h"
#include "report/trace.h"

struct trace {
	uint64_t request_id;
	struct request *open; /* NULL once it ended */
	uint64_t served_id;   /* the server request that its thread was serving at its start, 0 = none or not certain */
	bool final;           /* ended, and its ids are these: else they follow from its number */
	struct trace_ids ids;
};

/* An open request whose place a later one has taken. */
struct moved {
	struct trace trace;
	uint64_t request_id;
	UT_hash_handle hh;
};

struct traces {
	uint64_t seed;
	struct moved *moved;
	struct trace
		latest[TRACES_KEPT]; /* each has its place by number: numbers grow, so a later one takes the place of an old one */
};

static int hex_digit(char c)
{
	/* W3C: lower case only */
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_bytes(const char *text, uint8_t *out, size_t n)
{
	unsigned int any = 0;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
		any |= out[i];
	}
	return any != 0 || n == 1;
}

bool traceparent_parse(const char *text, uint8_t trace_id[16], uint8_t parent_id[8], uint8_t *flags)
{
	uint8_t version, trace[16], parent[8], bits;
	size_t len = strlen(text);
	if (len < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
		return false;
	if (!hex_bytes(text, &version, 1) || version == 0xff)
		return false;
	if (version == 0 ? len != 55 : len > 55 && text[55] != '-')
		return false;
	if (!hex_bytes(text + 3, trace, 16) || !hex_bytes(text + 36, parent, 8) || !hex_bytes(text + 53, &bits, 1))
		return false;
	memcpy(trace_id, trace, 16);
	memcpy(parent_id, parent, 8);
	*flags = bits;
	return true;
}

struct traces *traces_new(uint64_t seed)
{
	struct traces *t = calloc(1, sizeof *t);
	if (t != NULL)
		t->seed = seed;
	return t;
}

void traces_free(struct traces *t)
{
	if (t == NULL)
		return;
	struct moved *x, *next;
	HASH_ITER (hh, t->moved, x, next) {
		HASH_DEL(t->moved, x);
		free(x);
	}
	free(t);
}

static struct moved *find_moved(const struct traces *t, uint64_t id)
{
	struct moved *x = NULL;
	if (t->moved != NULL)
		HASH_FIND(hh, t->moved, &id, sizeof id, x);
	return x;
}

static struct trace *find(struct traces *t, uint64_t id)
{
	struct trace *at = &t->latest[id % TRACES_KEPT];
	if (id == 0 || at->request_id == id)
		return id == 0 ? NULL : at;
	struct moved *x = find_moved(t, id);
	return x != NULL ? &x->trace : NULL;
}

/* The place for a request of this number; one that is still open there is kept elsewhere. */
static struct trace *make_room(struct traces *t, uint64_t id)
{
	struct trace *at = &t->latest[id % TRACES_KEPT];
	if (at->open == NULL)
		return at;
	struct moved *x = calloc(1, sizeof *x);
	if (x != NULL) {
		x->trace = *at;
		x->request_id = at->request_id;
		HASH_ADD(hh, t->moved, request_id, sizeof x->request_id, x);
		if (x->hh.tbl == NULL)
			free(x);
	}
	return at;
}

static void put_id(uint8_t *out, uint64_t h)
{
	for (unsigned int i = 0; i < 8; i++)
		out[i] = (uint8_t)(h >> (56 - 8 * i));
}

static uint64_t id_of(const struct traces *t, uint64_t request, const char *what)
{
	return hash_end(hash_number(hash_number(hash_text(HASH_START, what), t->seed), request));
}

static void ids_of_open(struct traces *t, const struct trace *x, struct trace_ids *ids);

/* Of a request without a parent. */
static void ids_of_root(const struct traces *t, uint64_t id, struct trace_ids *ids)
{
	*ids = (struct trace_ids){.flags = 1};
	put_id(ids->span_id, id_of(t, id, "span"));
	put_id(ids->trace_id, id_of(t, id, "trace high"));
	put_id(ids->trace_id + 8, id_of(t, id, "trace low"));
}

static bool ids_of(struct traces *t, uint64_t id, struct trace_ids *ret)
{
	const struct trace *x = find(t, id);
	if (x == NULL)
		return false;
	if (x->open != NULL)
		ids_of_open(t, x, ret);
	else if (x->final)
		*ret = x->ids;
	else
		ids_of_root(t, id, ret);
	return true;
}

/* The parent, in order of certainty: what the wire says, what the thread was serving, none. */
static void ids_of_open(struct traces *t, const struct trace *x, struct trace_ids *ids)
{
	struct trace_ids out = {.flags = 1}, of;
	if (traceparent_parse(x->open->traceparent, out.trace_id, out.parent_id, &out.flags)) {
		out.parent_remote = x->open->server;
	} else if (x->served_id != x->request_id && ids_of(t, x->served_id, &of)) {
		memcpy(out.trace_id, of.trace_id, sizeof out.trace_id);
		memcpy(out.parent_id, of.span_id, sizeof out.parent_id);
		out.flags = of.flags;
	} else {
		ids_of_root(t, x->request_id, ids);
		return;
	}
	put_id(out.span_id, id_of(t, x->request_id, "span"));
	*ids = out;
}

void traces_start(struct traces *t, struct request *r, uint64_t served_id)
{
	if (find(t, r->id) != NULL)
		return;
	struct trace *at = make_room(t, r->id);
	at->request_id = r->id;
	at->open = r;
	at->served_id = r->server ? 0 : served_id;
	at->final = false;
}

bool traces_end(struct traces *t, struct request *r, struct trace_ids *ret)
{
	struct trace *x = find(t, r->id);
	if (x == NULL)
		return false;
	if (x->open != NULL) {
		/* Ids of a root follow from its number: nobody may ever want them. */
		x->final = r->traceparent[0] != '\0' || x->served_id != 0;
		if (x->final)
			ids_of_open(t, x, &x->ids);
		x->open = NULL;
		struct moved *moved = find_moved(t, r->id);
		if (moved != NULL) {
			*make_room(t, r->id) = moved->trace;
			HASH_DEL(t->moved, moved);
			free(moved);
		}
	}
	return ret == NULL || ids_of(t, r->id, ret);
}

bool traces_find(struct traces *t, uint64_t request_id, struct trace_ids *ret)
{
	return ids_of(t, request_id, ret);
}
