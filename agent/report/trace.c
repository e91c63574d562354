/*
 * Trace structure. An open request's ids are worked out as late as possible, since its traceparent may arrive after its first byte.
 */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "report/stable_hash.h"
#include "report/trace.h"

/* An open request. */
struct trace {
	uint64_t request_id;
	struct request *open;
	uint64_t served_id; /* the server request that its thread was serving at its start, 0 = none or not certain */
	UT_hash_handle hh;
};

/* One that ended: its ids are final. */
struct ended {
	uint64_t request_id;
	struct trace_ids ids;
};

struct traces {
	uint64_t seed;
	struct trace *by_id;
	struct ended
		ended[TRACES_KEPT]; /* each has its place by number: numbers grow, so a later one takes the place of an old one */
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
	struct trace *x, *next;
	HASH_ITER (hh, t->by_id, x, next) {
		HASH_DEL(t->by_id, x);
		free(x);
	}
	free(t);
}

static struct trace *find(struct traces *t, uint64_t id)
{
	struct trace *x = NULL;
	if (id != 0)
		HASH_FIND(hh, t->by_id, &id, sizeof id, x);
	return x;
}

static struct ended *place(struct traces *t, uint64_t id)
{
	return &t->ended[id % TRACES_KEPT];
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

static bool ids_of(struct traces *t, uint64_t id, struct trace_ids *ret)
{
	const struct trace *x = find(t, id);
	const struct ended *e = place(t, id);
	if (x != NULL)
		ids_of_open(t, x, ret);
	else if (id != 0 && e->request_id == id)
		*ret = e->ids;
	else
		return false;
	return true;
}

/* The parent, in order of certainty: what the wire says, what the thread was serving, none. */
static void ids_of_open(struct traces *t, const struct trace *x, struct trace_ids *ids)
{
	struct trace_ids out = {.flags = 1}, of;
	put_id(out.span_id, id_of(t, x->request_id, "span"));
	if (traceparent_parse(x->open->traceparent, out.trace_id, out.parent_id, &out.flags)) {
		out.parent_remote = x->open->server;
	} else if (x->served_id != x->request_id && ids_of(t, x->served_id, &of)) {
		memcpy(out.trace_id, of.trace_id, sizeof out.trace_id);
		memcpy(out.parent_id, of.span_id, sizeof out.parent_id);
		out.flags = of.flags;
	} else {
		put_id(out.trace_id, id_of(t, x->request_id, "trace high"));
		put_id(out.trace_id + 8, id_of(t, x->request_id, "trace low"));
	}
	*ids = out;
}

void traces_start(struct traces *t, struct request *r, uint64_t served_id)
{
	if (find(t, r->id) != NULL || place(t, r->id)->request_id == r->id)
		return;
	struct trace *x = calloc(1, sizeof *x);
	if (x == NULL)
		return;
	x->request_id = r->id;
	x->open = r;
	HASH_ADD(hh, t->by_id, request_id, sizeof x->request_id, x);
	if (x->hh.tbl == NULL) {
		free(x);
		return;
	}
	x->served_id = r->server ? 0 : served_id;
}

bool traces_end(struct traces *t, struct request *r, struct trace_ids *ret)
{
	struct trace *x = find(t, r->id);
	struct ended *e = place(t, r->id);
	if (x == NULL)
		return ids_of(t, r->id, ret);
	ids_of_open(t, x, ret);
	HASH_DEL(t->by_id, x);
	free(x);
	*e = (struct ended){.request_id = r->id, .ids = *ret};
	return true;
}

bool traces_find(struct traces *t, uint64_t request_id, struct trace_ids *ret)
{
	return ids_of(t, request_id, ret);
}
