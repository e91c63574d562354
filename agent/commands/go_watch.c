/* See go_watch.h. */
#include "commands/go_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/go_before.h"
#include "commands/go_deadlines.h"
#include "commands/go_sites.h"
#include "commands/program_files.h"
#include "core/mix.h"
#include "probes/translate.h"

struct go_watch {
	struct probes *probes;
	struct ingest *ingest;
	struct program_files probed;
	bool whole[PROGRAM_FILES_MAX]; /* of each: no timer goes unseen */
	struct {
		uint32_t pid;
		struct go_deadlines *deadlines; /* NULL: not Go, or without probes */
		struct go_before before;        /* of one that is not watched from its start */
	} of[PROBE_PROCESSES];
	uint32_t pid; /* of whom is told */
};

struct go_watch *go_watch_new(struct probes *probes, struct ingest *in)
{
	struct go_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->probes = probes;
	w->ingest = in;
	return w;
}

void go_watch_free(struct go_watch *w)
{
	for (size_t i = 0; w != NULL && i < PROBE_PROCESSES; i++)
		go_deadlines_free(w->of[i].deadlines);
	free(w);
}

/* What probes there are in a program. */
struct probed {
	bool any, whole;
	bool before; /* they were there already */
};

/* The first probes of this file. */
static void probe_first(struct go_watch *w, const char *path, const struct gopclntab *table, const struct stat *st,
			struct probed *ret)
{
	struct go_site sites[GO_SITES_MAX];
	const size_t n = go_sites_find(path, table, sites);
	int i;

	ret->whole = go_sites_whole(table, sites, n);
	for (size_t k = 0; k < n; k++) {
		const bool placed = probes_go(w->probes, path, sites[k].offset, sites[k].what) == 0;

		ret->any = ret->any || placed;
		ret->whole = ret->whole && placed;
	}
	if (ret->any && (i = program_files_add(&w->probed, st)) >= 0)
		w->whole[i] = ret->whole;
}

/* Probes into the program file at `path`. Its table, which is the caller's then; NULL if it is not Go's. */
static struct gopclntab *probe_program(struct go_watch *w, const char *path, struct probed *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct gopclntab *table = NULL;
	struct stat st;
	int i;

	*ret = (struct probed){0};
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && gopclntab_open(fd, &table) == 0) {
		i = program_files_find(&w->probed, &st);
		if (i >= 0)
			*ret = (struct probed){.any = true, .whole = w->whole[i], .before = true};
		else
			probe_first(w, path, table, &st, ret);
	}
	close(fd);
	return table;
}

void go_watch_expect(struct go_watch *w, const char *path)
{
	struct probed probed;

	if (w != NULL)
		gopclntab_free(probe_program(w, path, &probed));
}

void go_watch_end(struct go_watch *w, size_t place)
{
	if (w == NULL || place >= PROBE_PROCESSES)
		return;
	go_deadlines_free(w->of[place].deadlines);
	w->of[place].deadlines = NULL;
}

bool go_watch_begin(struct go_watch *w, size_t place, uint32_t pid, const char *started)
{
	struct gopclntab *table;
	struct probed probed;
	char exe[64];

	if (w == NULL || place >= PROBE_PROCESSES)
		return false;
	go_watch_end(w, place);
	w->of[place].pid = pid;
	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	table = probe_program(w, exe, &probed);
	/* It is over already: then only a file that was looked at before it started is surely the one. */
	if (table == NULL && started != NULL && access(exe, F_OK) < 0) {
		table = probe_program(w, started, &probed);
		if (table != NULL && !probed.before) {
			gopclntab_free(table);
			table = NULL;
		}
	}
	if (table == NULL)
		return false;
	const bool seen = started != NULL && probed.before; /* from its start */

	w->of[place].before.pid = 0;
	if (probed.whole && !seen)
		go_before_begin(&w->of[place].before, pid, table);
	if (probed.any)
		w->of[place].deadlines = go_deadlines_new(table, probed.whole && seen);
	else
		gopclntab_free(table);
	return true;
}

static struct go_deadlines *deadlines_of(const struct go_watch *w, size_t place)
{
	return w != NULL && place < PROBE_PROCESSES ? w->of[place].deadlines : NULL;
}

void go_watch_moved(struct go_watch *w, size_t place, uint64_t bias)
{
	if (deadlines_of(w, place) != NULL)
		go_deadlines_moved(deadlines_of(w, place), bias);
}

static void say(void *ctx, const struct wire_record *r)
{
	const struct go_watch *w = ctx;

	ingest_push(w->ingest, w->pid, w->pid, r, NULL);
}

static void say_sleep(void *ctx, uint32_t tid, const struct wire_record *r)
{
	const struct go_watch *w = ctx;

	ingest_push(w->ingest, w->pid, tid, r, NULL);
}

/* As its last read would have been told, which found nothing. */
static void say_reads(void *ctx, int fd, uint64_t now_ns, const uint64_t callers[GO_CALLERS], bool body)
{
	const struct go_watch *w = ctx;
	struct wire_record r = {.event = WIRE_READ, .units = 1, .t0 = now_ns, .t1 = now_ns, .fd = fd, .ret = -1, .err = EAGAIN};
	const struct wire_stack none = {0};
	struct ingest_stack s = {.mono_ns = now_ns, .stack = &none, .pcs = callers};

	while (s.pcs_n < GO_CALLERS && callers[s.pcs_n] != 0)
		s.pcs_n++;
	s.site = r.site = (uint32_t)mix_bytes((const uint8_t *)callers, s.pcs_n * sizeof(*callers)) | 1; /* 0: unknown */
	ingest_push_stack(w->ingest, w->pid, &s);
	if (body) {
		const struct wire_record waits = {
			.event = WIRE_OUTSTANDING, .units = 1, .t0 = now_ns, .t1 = now_ns, .fd = fd, .a0 = WIRE_OUTSTANDING_BODY};

		ingest_push(w->ingest, w->pid, w->pid, &waits, NULL);
	}
	ingest_push(w->ingest, w->pid, w->pid, &r, NULL);
}

/* What went through TLS in the clear, as the shim would have said it. */
static void say_plain(struct go_watch *w, const struct go_deadlines *g, const struct probe_call *c, const uint8_t *data)
{
	struct wire_record r = {
		.event = c->nr == GO_TLS_WRITE ? WIRE_TLS_WRITE : WIRE_TLS_READ,
		.units = 1,
		.t0 = c->t0,
		.t1 = c->t1,
		.ret = (int64_t)c->args[2],
		.a1 = c->args[1],
	};
	struct probe_go_plain plain;

	if (c->data_len < sizeof(plain))
		return;
	memcpy(&plain, data, sizeof(plain));
	r.fd = go_deadlines_fd(g, &plain.conn);
	r.data_len = c->data_len - (uint32_t)sizeof(plain);
	r.flags = c->args[2] > r.data_len ? WIRE_F_TRUNCATED : 0;
	if (r.fd >= 0) /* else a connection of a kind that is not known: nobody's */
		ingest_push(w->ingest, c->tgid, c->tgid, &r, data + sizeof(plain));
}

void go_watch_call(struct go_watch *w, size_t place, const struct probe_call *c, const uint8_t *data)
{
	struct go_deadlines *g = deadlines_of(w, place);
	const struct go_sink to = {.say = say, .sleeps = say_sleep, .reads = say_reads, .ctx = w};

	if (g == NULL)
		return;
	w->pid = c->tgid;
	if (c->kind == PROBE_GO && c->nr >= GO_TLS_WRITE)
		say_plain(w, g, c, data);
	else if (c->kind == PROBE_GO)
		go_deadlines_call(g, c, data, ingest_wall_ns(w->ingest), &to);
	else
		go_deadlines_moves(g, c, translate_event(c->nr) == WIRE_READ, &to);
}

void go_watch_record(struct go_watch *w, size_t place, const struct wire_record *r)
{
	struct go_deadlines *g = deadlines_of(w, place);

	if (g != NULL && (r->event == WIRE_SOCKET || r->event == WIRE_ACCEPT || r->event == WIRE_CLOSE))
		go_deadlines_closed(g, r->event == WIRE_ACCEPT ? (int)r->ret : r->fd);
}

void go_watch_tick(struct go_watch *w, uint64_t now_ns)
{
	const struct go_sink to = {.say = say, .sleeps = say_sleep, .reads = say_reads, .ctx = w};

	for (size_t i = 0; w != NULL && i < PROBE_PROCESSES; i++) {
		if (w->of[i].deadlines == NULL)
			continue;
		w->pid = w->of[i].pid;
		go_before_tick(&w->of[i].before, w->of[i].deadlines, now_ns, &to);
		go_deadlines_tick(w->of[i].deadlines, now_ns, &to);
	}
}
