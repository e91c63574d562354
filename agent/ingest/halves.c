/* Divided values: see halves.h. */
#include "ingest/halves.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "ingest/clean.h"

#define TAIL 256U   /* bytes of a call that are kept for the next one */
#define AHEAD 512U  /* bytes of the next call that may end a value */
#define WORD_MIN 4U /* a rest of a value that is shorter says nothing */

struct key {
	uint32_t pid;
	int32_t fd;
	uint32_t out;
};

struct tail {
	struct key key;
	uint64_t lost; /* what was lost of the process when bytes of the stream were last seen whole */
	bool told;     /* a value that ends with the last byte: what comes next may be more of it */
	size_t len;
	uint8_t bytes[TAIL];
	UT_hash_handle hh;
};

/* A process of which records were lost. */
struct loser {
	uint32_t pid;
	uint64_t lost;
	UT_hash_handle hh;
};

struct halves {
	struct scanner *scanner;
	struct counters *counters;
	struct tail *tails;
	struct loser *losers;
	struct clean *clean;
};

#define UNKNOWN UINT64_MAX /* of tail.lost: bytes are missing behind the last ones */

/* The place between the two calls, and the bytes of the second one. */
struct seam {
	size_t at, len;
	uint8_t *bytes;
	const uint8_t *both;
	halves_fn fn; /* NULL: nobody is told */
	void *ctx;
};

/* The bytes of one call. */
struct redaction {
	uint8_t *bytes;
	size_t len;
	bool to_the_end; /* a value ended with the last byte */
	halves_fn fn;
	void *ctx;
};

struct halves *halves_new(struct scanner *scanner, struct counters *counters)
{
	struct halves *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->scanner = scanner;
	h->counters = counters;
	h->clean = clean_new();
	if (h->clean == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

static void drop(struct halves *h, struct tail *t)
{
	HASH_DEL(h->tails, t);
	explicit_bzero(t, sizeof(*t));
	free(t);
}

static void forget(struct halves *h, struct loser *l)
{
	HASH_DEL(h->losers, l);
	free(l);
}

void halves_free(struct halves *h)
{
	struct tail *t, *next;

	if (h == NULL)
		return;
	HASH_ITER (hh, h->tails, t, next)
		drop(h, t);
	struct loser *l, *next_loser;
	HASH_ITER (hh, h->losers, l, next_loser)
		forget(h, l);
	clean_free(h->clean);
	free(h);
}

/* 0: nothing was. */
static uint64_t lost_of(const struct halves *h, uint32_t pid)
{
	struct loser *l = NULL;

	if (h->losers != NULL)
		HASH_FIND(hh, h->losers, &pid, sizeof(pid), l);
	return l != NULL ? l->lost : 0;
}

void halves_lost(struct halves *h, uint32_t pid)
{
	struct loser *l = NULL;

	HASH_FIND(hh, h->losers, &pid, sizeof(pid), l);
	if (l == NULL && HASH_COUNT(h->losers) < LIMIT_TAILS && (l = calloc(1, sizeof(*l))) != NULL) {
		l->pid = pid;
		HASH_ADD(hh, h->losers, pid, sizeof(l->pid), l);
	}
	if (l != NULL)
		l->lost++;
}

/* A line of Redis's protocol: "$1200", ":1", "+QUEUED", "-ERR", in front of whatever it says. */
static bool is_line_of_redis(const uint8_t *word, size_t len)
{
	const bool number = strchr("$*:%~>", word[0]) != NULL;
	size_t n = 1;

	while (n < len && (number ? word[n] >= '0' && word[n] <= '9' : word[n] >= 'A' && word[n] <= 'Z'))
		n++;
	return n == len && len > 1 && len <= 10 && (number || word[0] == '+' || word[0] == '-');
}

/* Does a protocol begin a message so: GET, HTTP/1.1, EHLO? */
static bool is_opening(const uint8_t *word, size_t len)
{
	size_t upper = 0;

	while (upper < len && word[upper] >= 'A' && word[upper] <= 'Z')
		upper++;
	return (upper == len && len <= 10) || (len > 5 && memcmp(word, "HTTP/", 5) == 0);
}

/* What comes before these bytes is not known: their first word may be the rest of any value. True if it goes on behind them. */
static bool close_unknown(uint8_t *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && n < AHEAD && bytes[n] > ' ' && bytes[n] < 0x7f && strchr("\"'`,;&<>{}", bytes[n]) == NULL)
		n++;
	if (n < WORD_MIN || is_opening(bytes, n) || (n < len && bytes[n] <= ' ' && is_line_of_redis(bytes, n)))
		return false;
	memset(bytes, '*', n);
	return n == len;
}

static void over_seam(void *ctx, const struct scan_match *m)
{
	const struct seam *s = ctx;
	const size_t from = m->start > s->at ? m->start - s->at : 0;

	if (m->end <= s->at || from >= s->len)
		return;
	if (s->fn != NULL && m->start < s->at)
		s->fn(s->ctx, m->entity, s->both + m->start, m->end - m->start);
	memset(s->bytes + from, '*', (m->end - s->at < s->len ? m->end - s->at : s->len) - from);
}

/* Overwrite what begins in the tail and ends in these bytes. *ret_goes_on: it does not even end in them. False: the bytes are as they were. */
static bool close_half(struct halves *h, const struct tail *t, uint8_t *bytes, size_t len, halves_fn fn, void *ctx,
		       bool *ret_goes_on)
{
	uint8_t both[TAIL + AHEAD];
	struct seam seam = {.at = t->len,
			    .len = len < AHEAD ? len : AHEAD,
			    .bytes = bytes,
			    .both = both,
			    .fn = t->told ? NULL : fn,
			    .ctx = ctx};
	const size_t all = t->len + seam.len;
	struct clean_text *place;
	size_t open = all, found = 0;
	bool known;

	memcpy(both, t->bytes, t->len);
	memcpy(both + t->len, bytes, seam.len);
	place = clean_find(h->clean, both, all, &known);
	if (!known) {
		if (seam.len == len)
			open = scan_open_end(h->scanner, both, all);
		found = scan_all(h->scanner, both, all, over_seam, &seam);
		if (found == 0 && seam.len == len && open == all)
			clean_keep(place, both, all);
	}
	*ret_goes_on = open < t->len;
	if (*ret_goes_on)
		memset(bytes, '*', len);
	explicit_bzero(both, all);
	return found > 0 || *ret_goes_on;
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

static void empty(struct tail *t)
{
	explicit_bzero(t->bytes, sizeof(t->bytes));
	t->len = 0;
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

/* A frame of HTTP/2 begins with nine bytes, the last of which number its stream (RFC 9113 4.1). The number may look like the first letters of
 * the text behind it: it must be left, or what became of the stream is not known. Where the text begins that begins at `from`. */
static size_t behind_frame_head(const uint8_t *bytes, size_t from, size_t len)
{
	for (size_t letters = from < 8 ? 9 - from : 1; letters <= 3 && from + letters <= len; letters++) {
		const uint8_t *head = bytes + from + letters - 9;

		if ((head[0] | head[1] | head[2]) != 0 && head[0] < 0x10 && head[3] <= 9 && head[5] == 0 &&
		    (letters > 2 || head[6] == 0) && (letters > 1 || head[7] == 0))
			return from + letters;
	}
	return from;
}

static void over(void *ctx, const struct scan_match *m)
{
	struct redaction *r = ctx;
	const size_t from = behind_frame_head(r->bytes, m->start, m->end);

	if (r->fn != NULL)
		r->fn(r->ctx, m->entity, r->bytes + m->start, m->end - m->start);
	r->to_the_end |= m->end == r->len;
	memset(r->bytes + from, '*', m->end - from);
}

void halves_redact(struct halves *h, uint32_t pid, int fd, bool out, uint8_t *bytes, size_t len, bool gap, halves_fn fn, void *ctx)
{
	struct redaction all = {.bytes = bytes, .len = len, .fn = fn, .ctx = ctx};
	const struct key key = {.pid = pid, .fd = fd, .out = out};
	const size_t n = len < TAIL ? len : TAIL;
	const uint64_t lost = lost_of(h, pid);
	uint8_t last[TAIL];
	struct tail *t = NULL;
	bool clean, touched = false, more = false;

	if (len == 0)
		return;
	if (h->tails != NULL)
		HASH_FIND(hh, h->tails, &key, sizeof(key), t);

	struct clean_text *const place = clean_find(h->clean, bytes, len, &clean);

	/* Nothing is in it, came before it or goes on behind it: as of most calls. */
	if (clean && t == NULL && lost == 0 && !gap && bytes[len - 1] == '\n')
		return;
	/* All is decided on the bytes as they were. */
	memcpy(last, bytes + len - n, n);

	const bool after_loss = (t != NULL ? t->lost : 0) != lost;
	const size_t open = clean ? len : scan_open_end(h->scanner, bytes, len);

	if (t != NULL)
		touched = close_half(h, t, bytes, len, fn, ctx, &more);
	/* A key may be divided as well as its value; a line that ends divides nothing. */
	const bool goes_on = more || open < len || last[n - 1] != '\n';

	if (!clean || touched) {
		const size_t found = scan_all(h->scanner, bytes, len, over, &all);

		const size_t from = open < len ? behind_frame_head(bytes, open, len) : len;

		memset(bytes + from, '*', len - from);
		/* What may be the rest of a value is not clean, whatever it looks like alone. */
		if (found == 0 && open == len && !touched && !after_loss)
			clean_keep(place, bytes, len);
	}
	const bool unknown = after_loss && close_unknown(bytes, len);

	/* A stream of which nothing was lost, and nothing goes on, needs no entry. */
	if (!goes_on && !gap && lost == 0) {
		if (t != NULL)
			drop(h, t);
	} else {
		if (t == NULL)
			t = add(h, &key);
		if (t != NULL) {
			t->lost = unknown || gap ? UNKNOWN : lost;
			t->told = all.to_the_end;
			if (goes_on && !gap)
				keep(t, last, n);
			else
				empty(t);
		}
	}
	explicit_bzero(last, sizeof(last));
}

void halves_end(struct halves *h, uint32_t pid, int first, int last)
{
	struct tail *t, *next;
	struct loser *l = NULL;

	if (first == INT_MIN && last == INT_MAX && h->losers != NULL)
		HASH_FIND(hh, h->losers, &pid, sizeof(pid), l);
	if (l != NULL)
		forget(h, l);
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
