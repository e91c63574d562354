/* Log sinks: see lines.h. */
#include "ingest/lines.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"
#include "ingest/clean.h"
#include "ingest/learn.h"
#include "ingest/level.h"
#include "ingest/newlines.h"

#define OVERLAP 512U    /* kept of a line that is too long: a value across the cut is found whole */
#define PEM_MAX 16384U  /* a key that does not end within so many bytes is scanned as it is */
#define PEM_TITLE 64U   /* bytes of its first line */
#define MARKS 16U       /* writes of one line whose call sites are told apart */
#define KEEP_ROOM 4096U /* an empty sink gives larger buffers back */

static const char pem_begin[] = "-----BEGIN ";
static const char pem_key[] = "PRIVATE KEY";
static const char pem_end[] = "-----END ";

struct sink_key {
	uint32_t pid;
	int32_t sink;
};

/* From this byte on, the text came by this call. */
struct mark {
	size_t at;
	uint32_t stack, tid;
};

struct sink {
	struct sink_key key;
	uint64_t lines; /* scanned so far */
	bool packed;    /* it holds compressed bytes */
	bool begun;     /* something was written to it */
	size_t len, room;
	uint8_t *bytes;
	unsigned int marks_n;
	struct mark marks[MARKS];
	UT_hash_handle hh;
};

struct lines {
	struct scanner *scanner;
	struct counters *counters;
	struct learn *learn;
	struct clean *clean;
	struct sink *sinks;
	unsigned int packed_n; /* sinks that are packed */
};

/* One scan of one sink's text. */
struct pass {
	struct lines *l;
	struct sink *s;
	const struct event *e;
	const char *level;
	size_t limit;      /* matches that end behind it are left for the next pass */
	size_t first_left; /* start of the first of these, SIZE_MAX if none */
	size_t line_at;    /* start of the line that we are in */
	size_t counted;    /* newlines were counted up to here */
	size_t learnt;     /* lines were learnt from up to here */
	uint64_t line;
	lines_fn fn;
	void *ctx;
};

struct lines *lines_new(struct scanner *scanner, struct counters *counters)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->scanner = scanner;
	l->counters = counters;
	l->learn = learn_new(counters);
	l->clean = clean_new();
	if (l->learn == NULL || l->clean == NULL) {
		lines_free(l);
		return NULL;
	}
	return l;
}

static void wipe(struct sink *s)
{
	if (s->bytes != NULL)
		explicit_bzero(s->bytes, s->room);
	free(s->bytes);
	s->bytes = NULL;
	s->len = s->room = 0;
}

void lines_free(struct lines *l)
{
	struct sink *s, *next;

	if (l == NULL)
		return;
	HASH_ITER (hh, l->sinks, s, next) {
		HASH_DEL(l->sinks, s);
		wipe(s);
		free(s);
	}
	learn_free(l->learn);
	clean_free(l->clean);
	free(l);
}

static const char *sink_kind(int sink)
{
	switch (sink) {
	case LINES_SYSLOG:
		return "syslog";
	case LINES_JOURNAL:
		return "journal";
	case 1:
		return "stdout";
	case 2:
		return "stderr";
	default:
		return "file";
	}
}

static struct mark mark_of(const struct sink *s, size_t at)
{
	struct mark m = {0};

	for (unsigned int i = 0; i < s->marks_n && s->marks[i].at <= at; i++)
		m = s->marks[i];
	return m;
}

/* A SLOT event of this pass. */
static void tell_slot(void *ctx, struct event *e)
{
	const struct pass *p = ctx;

	e->t0 = p->e->t0;
	e->t1 = p->e->t1;
	e->pid = p->s != NULL ? p->s->key.pid : p->e->pid;
	p->fn(p->ctx, e);
}

/* Learn from the lines up to there, of which all matches were told. */
static void learn_upto(struct pass *p, size_t upto)
{
	struct sink *s = p->s;

	while (p->learnt < upto) {
		const uint8_t *line = s->bytes + p->learnt;
		const uint8_t *end = memchr(line, '\n', upto - p->learnt);
		const size_t len = end != NULL ? (size_t)(end - line) : upto - p->learnt;

		learn_line(p->l->learn, mark_of(s, p->learnt).stack, line, len, tell_slot, p);
		p->learnt += len + (end != NULL ? 1 : 0);
	}
}

static void on_match(void *ctx, const struct scan_match *m)
{
	struct pass *p = ctx;
	const struct sink *s = p->s;
	const uint8_t *line_end;
	struct event_match data = {0};

	if (m->end > p->limit || p->first_left != SIZE_MAX) {
		if (p->first_left == SIZE_MAX)
			p->first_left = m->start;
		return;
	}
	for (; p->counted < m->start; p->counted++) {
		if (s->bytes[p->counted] == '\n') {
			p->line++;
			p->line_at = p->counted + 1;
		}
	}
	learn_upto(p, p->line_at);
	line_end = memchr(s->bytes + p->line_at, '\n', s->len - p->line_at);

	const size_t line_len = line_end != NULL ? (size_t)(line_end - s->bytes) - p->line_at : s->len - p->line_at;
	const struct mark mark = mark_of(s, m->start);
	const uint64_t slot = learn_match(p->l->learn, mark_of(s, p->line_at).stack, s->bytes + p->line_at, m->start - p->line_at,
					  m->end - p->line_at);
	const char *level = level_of(s->bytes + p->line_at, line_len);

	snprintf(data.entity, sizeof(data.entity), "%s", m->entity->name);
	snprintf(data.sink, sizeof(data.sink), "%s", sink_kind(s->key.sink));
	scan_mask(m->entity, s->bytes + m->start, m->end - m->start, data.sample, sizeof(data.sample));
	snprintf(data.level, sizeof(data.level), "%s", level[0] != '\0' ? level : p->level);
	data.line = p->line;

	const struct event e = {
		.id = WIRE_MATCH,
		.t0 = p->e->t0,
		.t1 = p->e->t1,
		.a0 = scan_fingerprint(p->l->scanner, s->bytes + m->start, m->end - m->start),
		.a1 = slot,
		.pid = s->key.pid,
		.tid = mark.tid,
		.fd = s->key.sink >= 0 ? s->key.sink : -1,
		.stack = mark.stack,
		.data_len = sizeof(data),
		.data = (const uint8_t *)&data,
	};

	p->fn(p->ctx, &e);
}

/* Forget the first `n` bytes; what stays moves to the front, what was there is wiped. */
static void drop(struct sink *s, size_t n)
{
	const struct mark last = mark_of(s, n);
	unsigned int kept = 0;

	if (n == 0)
		return;
	s->lines += newlines(s->bytes, n);
	memmove(s->bytes, s->bytes + n, s->len - n);
	explicit_bzero(s->bytes + s->len - n, n);
	s->len -= n;
	if (s->len == 0) {
		s->marks_n = 0;
		if (s->room > KEEP_ROOM)
			wipe(s);
		return;
	}
	for (unsigned int i = 0; i < s->marks_n; i++) {
		if (s->marks[i].at <= n)
			continue;
		s->marks[++kept] = s->marks[i];
		s->marks[kept].at -= n;
	}
	s->marks[0] = last;
	s->marks[0].at = 0;
	s->marks_n = kept + 1;
}

/* The last place where a key begins, or NULL. Most lines have few of its letter, and memmem takes longer to begin than those take to look at. */
static const uint8_t *last_key(const uint8_t *bytes, size_t len)
{
	const size_t n = sizeof(pem_begin) - 1, letter = strcspn(pem_begin, "B");
	const uint8_t *at = bytes, *const end = bytes + len, *found = NULL;

	while (at < end && (at = memchr(at, 'B', (size_t)(end - at))) != NULL) {
		if ((size_t)(at - bytes) >= letter && (size_t)(end - at) >= n - letter && memcmp(at - letter, pem_begin, n) == 0)
			found = at - letter;
		at++;
	}
	return found;
}

/* What was clean a moment ago is clean: services write the same lines again and again, and one a request in the same second. */
static void scan_unless_clean(struct pass *p, size_t upto)
{
	bool clean;
	struct clean_text *const place = clean_find(p->l->clean, p->s->bytes, upto, &clean);

	/* A key that begins in it may go on in the next one. */
	if (!clean && scan_text(p->l->scanner, p->s->bytes, upto, on_match, p) == 0 && last_key(p->s->bytes, upto) == NULL)
		clean_keep(place, p->s->bytes, upto);
}

/* Scan the first `upto` bytes and drop them; with `cut`, what a value could reach across the end stays. */
static void scan(struct pass *p, size_t upto, bool cut)
{
	struct sink *s = p->s;
	size_t n = upto;

	if (upto == 0)
		return;
	p->limit = cut && upto > OVERLAP ? upto - OVERLAP : upto;
	p->first_left = SIZE_MAX;
	p->line_at = p->counted = p->learnt = 0;
	p->line = s->lines + 1;
	scan_unless_clean(p, upto);
	if (cut)
		learn_forget(p->l->learn);
	else if (learn_any(p->l->learn))
		learn_upto(p, upto);
	if (cut)
		n = p->first_left < p->limit ? p->first_left : p->limit;
	/* One value as long as the whole buffer: it is what it is. */
	if (n == 0) {
		p->limit = n = upto;
		p->first_left = SIZE_MAX;
		scan_text(p->l->scanner, s->bytes, upto, on_match, p);
	}
	drop(s, n);
}

/* Where to scan to, of `upto` bytes of whole lines: before the line in which a key begins that has not ended yet. */
static size_t before_open_key(const struct sink *s, size_t upto)
{
	const uint8_t *begin = last_key(s->bytes, upto);
	size_t at;

	if (begin == NULL)
		return upto;
	at = (size_t)(begin - s->bytes);
	if (memmem(begin, upto - at < PEM_TITLE ? upto - at : PEM_TITLE, pem_key, sizeof(pem_key) - 1) == NULL)
		return upto;
	if (s->len - at > PEM_MAX || memmem(begin, upto - at, pem_end, sizeof(pem_end) - 1) != NULL)
		return upto;
	while (at > 0 && s->bytes[at - 1] != '\n')
		at--;
	return at;
}

static bool make_room(struct sink *s, size_t more)
{
	size_t room = s->room > 0 ? s->room : 256;
	uint8_t *bytes;

	while (room < s->len + more)
		room *= 2;
	if (room > LIMIT_LINE_BYTES)
		room = LIMIT_LINE_BYTES;
	if (room == s->room)
		return true;
	bytes = malloc(room);
	if (bytes == NULL)
		return false;
	if (s->len > 0)
		memcpy(bytes, s->bytes, s->len);
	if (s->bytes != NULL)
		explicit_bzero(s->bytes, s->room);
	free(s->bytes);
	s->bytes = bytes;
	s->room = room;
	return true;
}

static void add_mark(struct sink *s, const struct event *e)
{
	const struct mark m = {.at = s->len, .stack = e->stack, .tid = e->tid};

	if (s->marks_n > 0 && s->marks[s->marks_n - 1].stack == m.stack && s->marks[s->marks_n - 1].tid == m.tid)
		return;
	if (s->marks_n < MARKS)
		s->marks[s->marks_n++] = m;
}

static struct sink *find(struct lines *l, uint32_t pid, int sink)
{
	const struct sink_key key = {.pid = pid, .sink = sink};
	struct sink *s;

	HASH_FIND(hh, l->sinks, &key, sizeof(key), s);
	return s;
}

static struct sink *find_or_add(struct lines *l, uint32_t pid, int sink)
{
	struct sink *s = find(l, pid, sink);

	if (s != NULL)
		return s;
	if (HASH_COUNT(l->sinks) >= LIMIT_SINKS) {
		l->counters->limit[LIMIT_REACHED_SINKS]++;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->key = (struct sink_key){.pid = pid, .sink = sink};
	HASH_ADD(hh, l->sinks, key, sizeof(s->key), s);
	return s;
}

/* The first bytes of gzip (RFC 1952) and Zstandard (RFC 8878). */
static bool begins_packed(const uint8_t *bytes, size_t len)
{
	static const uint8_t gzip[] = {0x1f, 0x8b, 0x08}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	return (len >= sizeof(gzip) && memcmp(bytes, gzip, sizeof(gzip)) == 0) ||
	       (len >= sizeof(zstd) && memcmp(bytes, zstd, sizeof(zstd)) == 0);
}

bool lines_packed(struct lines *l, uint32_t pid, int sink, const uint8_t *bytes, size_t len)
{
	const bool begins = begins_packed(bytes, len);
	struct sink *s;

	if (!begins && l->packed_n == 0)
		return false;
	s = begins ? find_or_add(l, pid, sink) : find(l, pid, sink);
	if (s == NULL)
		return false;
	if (begins && !s->begun && !s->packed) {
		s->packed = true;
		l->packed_n++;
	}
	return s->packed;
}

/* Whole lines that were clean a moment ago, with nothing in front of them: they are counted. */
static bool pass_by(struct lines *l, struct sink *s, const uint8_t *bytes, size_t len)
{
	bool clean = false;

	if (s->len == 0 && len > 0 && bytes[len - 1] == '\n' && !learn_any(l->learn))
		clean_find(l->clean, bytes, len, &clean);
	if (!clean)
		return false;
	s->begun = true;
	s->lines += newlines(bytes, len);
	return true;
}

void lines_add(struct lines *l, const struct event *e, int sink, const uint8_t *bytes, size_t len, bool gap, bool whole,
	       const char *level, lines_fn fn, void *ctx)
{
	struct sink *s = find_or_add(l, e->pid, sink);

	if (s != NULL && !gap && !whole && pass_by(l, s, bytes, len))
		return;

	struct sink alone = {.key = {.pid = e->pid, .sink = sink}};
	struct pass p = {.l = l, .e = e, .level = level, .fn = fn, .ctx = ctx};

	/* Too many sinks: this write is scanned by itself. */
	p.s = s != NULL ? s : &alone;
	p.s->begun = p.s->begun || len > 0;
	while (len > 0 && make_room(p.s, len)) {
		const size_t n = p.s->room - p.s->len < len ? p.s->room - p.s->len : len;
		const uint8_t *last = memrchr(bytes, '\n', n);
		const size_t old = p.s->len;

		add_mark(p.s, e);
		memcpy(p.s->bytes + old, bytes, n);
		p.s->len += n;
		bytes += n;
		len -= n;
		if (last != NULL)
			scan(&p, before_open_key(p.s, old + n - (size_t)(bytes - last) + 1), false);
		if (p.s->len == LIMIT_LINE_BYTES) {
			l->counters->limit[LIMIT_REACHED_LINE]++;
			scan(&p, p.s->len, true);
		}
	}
	if (gap || whole || s == NULL) {
		scan(&p, p.s->len, false);
		if (whole)
			p.s->lines++;
	}
	if (s == NULL)
		wipe(&alone);
}

static void end(struct lines *l, struct sink *s, const struct event *e, lines_fn fn, void *ctx)
{
	struct pass p = {.l = l, .s = s, .e = e, .level = "", .fn = fn, .ctx = ctx};

	scan(&p, s->len, false);
	l->packed_n -= s->packed ? 1 : 0;
	HASH_DEL(l->sinks, s);
	wipe(s);
	free(s);
}

void lines_end(struct lines *l, const struct event *e, int first, int last, lines_fn fn, void *ctx)
{
	struct sink *s, *next;

	if (first == last) {
		s = find(l, e->pid, first);
		if (s != NULL)
			end(l, s, e, fn, ctx);
		return;
	}
	HASH_ITER (hh, l->sinks, s, next) {
		if (s->key.pid == e->pid && s->key.sink >= first && s->key.sink <= last)
			end(l, s, e, fn, ctx);
	}
}

void lines_end_all(struct lines *l, const struct event *e, lines_fn fn, void *ctx)
{
	struct pass p = {.l = l, .e = e, .fn = fn, .ctx = ctx};
	struct sink *s, *next;

	HASH_ITER (hh, l->sinks, s, next)
		end(l, s, e, fn, ctx);
	learn_tell_all(l->learn, tell_slot, &p);
}
