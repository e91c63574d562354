/* Divided values: see halves.h. */
#include "ingest/halves.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"

#define TAIL 256U  /* bytes of a call that are kept for the next one */
#define AHEAD 512U /* bytes of the next call that may end a value */

struct key {
	uint32_t pid;
	int32_t fd;
	uint32_t out;
};

struct tail {
	struct key key;
	size_t len;
	uint8_t bytes[TAIL];
	UT_hash_handle hh;
};

struct halves {
	struct scanner *scanner;
	struct counters *counters;
	struct tail *tails;
};

/* The place between the two calls, and the bytes of the second one. */
struct seam {
	size_t at, len;
	uint8_t *bytes;
};

struct halves *halves_new(struct scanner *scanner, struct counters *counters)
{
	struct halves *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->scanner = scanner;
	h->counters = counters;
	return h;
}

static void drop(struct halves *h, struct tail *t)
{
	HASH_DEL(h->tails, t);
	explicit_bzero(t, sizeof(*t));
	free(t);
}

void halves_free(struct halves *h)
{
	struct tail *t, *next;

	if (h == NULL)
		return;
	HASH_ITER (hh, h->tails, t, next)
		drop(h, t);
	free(h);
}

static void over_seam(void *ctx, const struct scan_match *m)
{
	const struct seam *s = ctx;
	const size_t from = m->start > s->at ? m->start - s->at : 0;

	if (m->end <= s->at || from >= s->len)
		return;
	memset(s->bytes + from, '*', (m->end - s->at < s->len ? m->end - s->at : s->len) - from);
}

/* Overwrite what begins in the tail and ends in these bytes. True if it does not even end in them. */
static bool close_half(struct halves *h, const struct tail *t, uint8_t *bytes, size_t len)
{
	uint8_t both[TAIL + AHEAD];
	struct seam seam = {.at = t->len, .len = len < AHEAD ? len : AHEAD, .bytes = bytes};
	bool goes_on = false;

	memcpy(both, t->bytes, t->len);
	memcpy(both + t->len, bytes, seam.len);
	if (seam.len == len)
		goes_on = scan_open_end(h->scanner, both, t->len + len) < t->len;
	scan_all(h->scanner, both, t->len + seam.len, over_seam, &seam);
	if (goes_on)
		memset(bytes, '*', len);
	explicit_bzero(both, sizeof(both));
	return goes_on;
}

/* Keep the last bytes: those that were kept before and these. */
static void keep(struct tail *t, const uint8_t *bytes, size_t len)
{
	const size_t n = len < TAIL ? len : TAIL, old = t->len < TAIL - n ? t->len : TAIL - n;

	memmove(t->bytes, t->bytes + t->len - old, old);
	memcpy(t->bytes + old, bytes + len - n, n);
	t->len = old + n;
	explicit_bzero(t->bytes + t->len, TAIL - t->len);
}

static struct tail *add(struct halves *h, const struct key *key)
{
	struct tail *t = NULL;

	if (HASH_COUNT(h->tails) < LIMIT_TAILS)
		t = calloc(1, sizeof(*t));
	else
		h->counters->limit[LIMIT_REACHED_TAILS]++;
	if (t != NULL) {
		t->key = *key;
		HASH_ADD(hh, h->tails, key, sizeof(t->key), t);
	}
	return t;
}

void halves_redact(struct halves *h, uint32_t pid, int fd, bool out, uint8_t *bytes, size_t len, bool gap)
{
	const struct key key = {.pid = pid, .fd = fd, .out = out};
	const size_t n = len < TAIL ? len : TAIL;
	uint8_t last[TAIL];
	struct tail *t;

	if (len == 0)
		return;
	HASH_FIND(hh, h->tails, &key, sizeof(key), t);
	/* All is decided on the bytes as they were. */
	memcpy(last, bytes + len - n, n);

	const size_t open = scan_open_end(h->scanner, bytes, len);
	/* A key may be divided as well as its value; a line that ends divides nothing. */
	bool goes_on = open < len || bytes[len - 1] != '\n';

	if (t != NULL && close_half(h, t, bytes, len))
		goes_on = true;
	scan_redact(h->scanner, bytes, len);
	memset(bytes + open, '*', len - open);

	/* Behind a gap nothing is known to go on. */
	if (!goes_on || gap) {
		if (t != NULL)
			drop(h, t);
	} else {
		if (t == NULL)
			t = add(h, &key);
		if (t != NULL)
			keep(t, last, n);
	}
	explicit_bzero(last, sizeof(last));
}

void halves_end(struct halves *h, uint32_t pid, int first, int last)
{
	struct tail *t, *next;

	if (h->tails == NULL)
		return;
	if (first == last) {
		for (uint32_t out = 0; out < 2; out++) {
			const struct key key = {.pid = pid, .fd = first, .out = out};

			HASH_FIND(hh, h->tails, &key, sizeof(key), t);
			if (t != NULL)
				drop(h, t);
		}
		return;
	}
	HASH_ITER (hh, h->tails, t, next) {
		if (t->key.pid == pid && t->key.fd >= first && t->key.fd <= last)
			drop(h, t);
	}
}
