/*
 * Descriptor leaks: what is opened again and again at one place, and never closed.
 *
 * A pool and a cache keep descriptors, too. But a pool gives out what lies idle before it opens another: so a description counts as forgotten
 * only if it lay unused while the same place opened more of its kind. Enough of these, spread over the time, are a leak. Descriptors of which
 * no record tells (files opened for reading) are known by the samples of /proc alone. fds_groups.c.
 *
 * Owner: the session; its thread.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/elapsed.h"
#include "detectors/detectors.h"
#include "detectors/fds.h"

#define JUDGE_EVERY_NS (5 * NS_PER_S)
#define LATER_NS NS_PER_S /* so long it lay idle before these */
#define SAMPLE_AGE_NS (15 * NS_PER_S)

static const struct option options[] = {
	[FDS_O_MIN] =
		{.name = "min", .value = 12, .min = 4, .max = 1e6, .unit = "descriptors", .doc = "forgotten ones of one call site"},
	[FDS_O_FILES_MIN] = {.name = "files_min",
			     .value = 64,
			     .min = 4,
			     .max = 1e6,
			     .unit = "descriptors",
			     .doc = "the same for files of different names, which a cache may hold"},
	[FDS_O_GROUP_MIN] = {.name = "group_min",
			     .value = 32,
			     .min = 4,
			     .max = 1e6,
			     .unit = "descriptors",
			     .doc = "more that lead to the same, where only /proc tells of them"},
	[FDS_O_SECONDS] = {.name = "seconds", .value = 10, .min = 1, .max = 86400, .unit = "s", .doc = "that it must go on"},
	[FDS_O_IDLE] =
		{.name = "idle", .value = 5, .min = 0, .max = 3600, .unit = "s", .doc = "unused for so long before it counts"},
	[FDS_OPTIONS] = {0},
};

const struct rule fds_rules[] = {
	{
		.id = "resource.fd.leak",
		.severity = SEVERITY_WARNING,
		.title = "descriptors are opened and never closed",
		.doc = "Given where a call site opened at least {12} descriptors over {10 s} or more that were left unused for {5 "
		       "s} while it went on "
		       "to open others, in every quarter of that time, and never closed; or where /proc shows that descriptors of "
		       "one sort grow "
		       "steadily and to the end. Pools that reach a size, caches of files, and connections that clients hold are "
		       "none. An error "
		       "once 80 % of the limit are open, or the limit is less than an hour away.",
		.remedy = "Close the descriptor on every path, those of errors included (try/finally, with, defer), or return it "
			  "to its pool.",
	},
	{0},
};

/* One open description that a site made. */
struct opened {
	const struct conn *conn;
	bool peer_closed;
	uint64_t sort;              /* of what it leads to */
	struct opened *prev, *next; /* of its site, oldest first */
	struct site *site;
	UT_hash_handle hh;
};

struct site_key {
	uint64_t site, to;
	uint32_t pid, kind;
};

struct site {
	struct site_key key;
	uint32_t stack;
	char to[LIMIT_PEER_TEXT];
	uint64_t n_opened, n_closed, told;
	uint64_t latest[FDS_LATER_OPENS]; /* when it opened last, a ring */
	struct opened *first, *last;
	UT_hash_handle hh;
};

static const char *const kinds[] = {
	[CONN_TCP] = "TCP sockets", [CONN_UDP] = "UDP sockets", [CONN_UNIX] = "Unix sockets", [CONN_PIPE] = "pipe ends",
	[CONN_FILE] = "files",      [CONN_TTY] = "terminals",   [CONN_OTHER] = "descriptors",
};

static void *fds_create(const struct detector_env *env)
{
	struct fds *d = calloc(1, sizeof *d);

	if (d)
		d->env = *env;
	return d;
}

struct fds_process *fds_process_of(struct fds *d, uint32_t pid, bool make)
{
	struct fds_process *p;

	HASH_FIND(hh, d->processes, &pid, sizeof pid, p);
	if (p || !make || HASH_COUNT(d->processes) >= LIMIT_PROCESSES || !(p = calloc(1, sizeof *p)))
		return p;
	p->pid = pid;
	HASH_ADD(hh, d->processes, pid, sizeof p->pid, p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

/* -- sites -- */

/* Whose descriptors are told apart at one site: of clients by their peer. What is connected later is found by its peer then. */
static struct site *site_of(struct fds *d, const struct conn *c)
{
	struct site_key key = {.site = evidence_site_hash(d->env.stacks, c->open_stack), .pid = c->process->pid, .kind = c->kind};
	struct site *s;

	if (key.site == 0) /* where it is unknown, at least what it is for tells */
		key.to = evidence_hash(EVIDENCE_HASH_SEED, c->path, strlen(c->path));
	HASH_FIND(hh, d->sites, &key, sizeof key, s);
	if (s)
		return s;
	if (HASH_COUNT(d->sites) >= LIMIT_SITES || !(s = calloc(1, sizeof *s)))
		return NULL;
	s->key = key;
	s->stack = c->open_stack;
	HASH_ADD(hh, d->sites, key, sizeof s->key, s);
	if (!s->hh.tbl) {
		free(s);
		return NULL;
	}
	return s;
}

static void fds_open(void *ctx, struct conn *c, const struct event *e)
{
	struct fds *d = ctx;
	struct opened *o;

	/* What is opened for reading only may be a cache's: fds_groups.c judges that. */
	const bool reads = c->kind == CONN_FILE && e && e->id == WIRE_OPEN && (e->a0 & O_ACCMODE) == O_RDONLY;

	if (c->inherited || c->is_sink || !c->process || reads)
		return;
	struct site *s = site_of(d, c);
	if (!s || !(o = calloc(1, sizeof *o)))
		return;
	*o = (struct opened){.conn = c, .sort = e ? fds_sort_made(e) : FDS_SORT_ANY, .site = s, .prev = s->last};
	HASH_ADD_PTR(d->opened, conn, o);
	if (!o->hh.tbl) {
		free(o);
		return;
	}
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	s->latest[s->n_opened++ % FDS_LATER_OPENS] = c->opened_ns;
}

static void opened_free(struct fds *d, struct opened *o)
{
	struct site *s = o->site;

	*(o->prev ? &o->prev->next : &s->first) = o->next;
	*(o->next ? &o->next->prev : &s->last) = o->prev;
	HASH_DEL(d->opened, o);
	free(o);
}

static void fds_close(void *ctx, struct conn *c, const struct event *e)
{
	struct fds *d = ctx;
	struct opened *o;

	(void)e;
	HASH_FIND_PTR(d->opened, &c, o);
	if (!o)
		return;
	o->site->n_closed++;
	opened_free(d, o);
}

/* When it was of any use last. */
static uint64_t used_ns(const struct conn *c)
{
	uint64_t t = c->opened_ns;

	t = c->connect_t1 > t ? c->connect_t1 : t;
	t = c->last_in_ns > t ? c->last_in_ns : t;
	return c->last_out_ns > t ? c->last_out_ns : t;
}

static bool forgotten(const struct fds *d, const struct opened *o, uint64_t now_ns)
{
	const struct conn *c = o->conn;
	const uint64_t used = used_ns(c), oldest_of_latest = o->site->latest[o->site->n_opened % FDS_LATER_OPENS];

	if (c->role == CONN_LISTENER || c->refs == 0)
		return false;
	/* As long as a client holds its connection, it is the client's to close. */
	if (c->role == CONN_SERVER && !c->eof_in && !o->peer_closed)
		return false;
	if (now_ns < used + evidence_option_ns(d->env.options[FDS_O_IDLE]))
		return false;
	return o->site->n_opened >= FDS_LATER_OPENS && oldest_of_latest >= used + LATER_NS;
}

struct verdict {
	uint64_t n, first_ns, last_ns;
	uint64_t n_sampled; /* of these, open when /proc was looked at last */
	double per_s;
	bool same_path; /* of files: most have a name that another one has, too */
	char to[LIMIT_PEER_TEXT];
};

/* Do more than half of the forgotten files share their name with the one opened before? A cache opens each once. */
static bool repeats(const struct site *s, const struct conn *c, const struct conn *before)
{
	return s->key.kind != CONN_FILE || (before && strcmp(c->path, before->path) == 0);
}

static bool judge_site(const struct fds *d, const struct site *s, const struct fds_process *p, uint64_t now_ns, struct verdict *ret)
{
	const uint64_t live = s->n_opened - s->n_closed;
	struct verdict v = {0};
	const struct conn *before = NULL;
	uint64_t repeated = 0;

	if ((double)live < d->env.options[FDS_O_MIN])
		return false;
	uint64_t *times = calloc(live, sizeof *times);
	for (const struct opened *o = times ? s->first : NULL; o && v.n < live; o = o->next) {
		if (!forgotten(d, o, now_ns))
			continue;
		repeated += repeats(s, o->conn, before);
		if (v.n == 0)
			snprintf(v.to, sizeof v.to, "%s", o->conn->peer);
		else if (strcmp(v.to, o->conn->peer) != 0)
			v.to[0] = '\0';
		before = o->conn;
		v.n_sampled += p && o->conn->opened_ns <= p->sample_ns;
		times[v.n++] = o->conn->opened_ns;
	}
	v.same_path = repeated * 2 >= v.n;
	const double min = d->env.options[v.same_path ? FDS_O_MIN : FDS_O_FILES_MIN];
	if (v.n > 0) {
		v.first_ns = times[0];
		v.last_ns = times[v.n - 1];
	}
	const uint64_t took = elapsed_ns(v.first_ns, v.last_ns);
	const bool leak = (double)v.n >= min && took >= evidence_option_ns(d->env.options[FDS_O_SECONDS]) &&
			  growth_spread(times, v.n, v.first_ns, v.last_ns);
	free(times);
	v.per_s = took ? (double)(v.n - 1) / ((double)took / (double)NS_PER_S) : 0;
	*ret = v;
	return leak;
}

/* What /proc says against it: fewer are open than records say (a close escaped us), or a thread may own each. */
static bool denied(const struct fds_process *p, const struct site *s, const struct verdict *v, uint64_t now_ns)
{
	uint64_t open;

	if (!p || p->sample_ns + SAMPLE_AGE_NS < now_ns)
		return false;
	if (s->key.kind != CONN_FILE && v->n <= p->sample.threads + FDS_LATER_OPENS)
		return true;
	if (p->sample.fds == SAMPLE_UNKNOWN)
		return false;
	switch (s->key.kind) {
	case CONN_TCP:
	case CONN_UDP:
	case CONN_UNIX:
		open = p->sample.fd_kinds[SAMPLE_FD_SOCKET];
		break;
	case CONN_PIPE:
		open = p->sample.fd_kinds[SAMPLE_FD_PIPE];
		break;
	default:
		open = p->sample.fds;
	}
	return open < v->n_sampled - v->n_sampled / 10;
}

static void tell_site(struct fds *d, struct site *s, const struct verdict *v, const struct fds_process *p)
{
	char message[512], site[SITE_TEXT_SIZE];
	json_t *evidence =
		json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "kind", kinds[s->key.kind], "forgotten", (json_int_t)v->n, "opened",
			  (json_int_t)s->n_opened, "closed", (json_int_t)s->n_closed, "a_minute", evidence_number(v->per_s * 60),
			  "over_s", evidence_seconds(elapsed_ns(v->first_ns, v->last_ns)));
	const bool soon = fds_limit_evidence(evidence, p, v->per_s);

	snprintf(message, sizeof message, "%" PRIu64 " %s%s%s opened by %s and never closed, %.3g more a minute", v->n,
		 kinds[s->key.kind], v->to[0] ? " to " : "", v->to, evidence_site(d->env.stacks, s->stack, site, sizeof site),
		 v->per_s * 60);
	const struct finding f = {
		.rule = &fds_rules[0],
		.severity = soon ? SEVERITY_ERROR : SEVERITY_WARNING,
		.confidence = CONFIDENCE_OBSERVED,
		.peer = v->to,
		.operation = "open",
		.stack = s->stack,
		.key = kinds[s->key.kind],
		.count = v->n > s->told ? v->n - s->told : 0,
		.first_seen_ns = v->first_ns,
		.last_seen_ns = v->last_ns,
		.evidence = evidence,
		.message = message,
	};
	d->env.emit(d->env.emit_ctx, &f);
	s->told = v->n > s->told ? v->n : s->told;
}

/* Sockets and pipe ends are never judged as groups. */
uint64_t fds_told_of(const struct fds *d, uint32_t pid, const char *pattern)
{
	const uint64_t sort = fds_sort(pattern, strlen(pattern));
	uint64_t n = 0;

	for (const struct site *s = d->sites; s; s = s->hh.next) {
		if (s->key.pid != pid || s->told == 0 || s->key.kind < CONN_FILE)
			continue;
		for (const struct opened *o = s->first; o; o = o->next)
			n += fds_sorts_meet(sort, o->sort);
	}
	return n;
}

/* Sites of one process, or of all (pid 0). */
static void judge_sites(struct fds *d, uint32_t pid, uint64_t now_ns)
{
	for (struct site *s = d->sites; s; s = s->hh.next) {
		const struct fds_process *p = fds_process_of(d, s->key.pid, false);
		struct verdict v;

		if ((pid == 0 || s->key.pid == pid) && judge_site(d, s, p, now_ns, &v) && !denied(p, s, &v, now_ns) &&
		    v.n > s->told)
			tell_site(d, s, &v, p);
	}
}

/* -- when -- */

static void process_forget(struct fds *d, uint32_t pid)
{
	struct fds_process *p = fds_process_of(d, pid, false);
	struct site *s, *next;

	fds_forget_groups(d, pid);
	fds_forget_places(d, pid);
	HASH_ITER (hh, d->sites, s, next) {
		if (s->key.pid != pid || s->first)
			continue;
		HASH_DEL(d->sites, s);
		free(s);
	}
	if (p) {
		HASH_DEL(d->processes, p);
		free(p);
	}
}

static void fds_event(void *ctx, const struct event *e)
{
	struct fds *d = ctx;
	struct fds_process *p;
	struct opened *o;

	switch (e->id) {
	case WIRE_SAMPLE_PROCESS:
		p = e->data_len >= sizeof p->sample ? fds_process_of(d, e->pid, true) : NULL;
		if (p) {
			memcpy(&p->sample, e->data, sizeof p->sample);
			p->sample_ns = e->t1;
		}
		break;
	case WIRE_SAMPLE_FILES:
		fds_group_sample(d, e);
		break;
	case WIRE_OPEN:
	case WIRE_EPOLL_CREATE:
	case WIRE_TIMERFD_CREATE:
	case WIRE_DUP:
	case WIRE_CLOSE:
		fds_place_event(d, e);
		break;
	case WIRE_SAMPLE_SOCKET: {
		const struct conn *c = e->a0 == SAMPLE_CLOSE_WAIT ? model_conn(d->env.model, e->pid, e->fd) : NULL;

		HASH_FIND_PTR(d->opened, &c, o);
		if (o)
			o->peer_closed = true;
		break;
	}
	case WIRE_STOPPING: /* from here on it clears up, or does not: either says nothing */
		judge_sites(d, 0, e->t1);
		fds_judge_groups(d, 0, false);
		break;
	case WIRE_PROCESS_EXIT:
	case WIRE_PROCESS_GONE: /* before the model closes what it had open */
		judge_sites(d, e->pid, e->t1);
		fds_judge_groups(d, e->pid, false);
		break;
	default:
		break;
	}
}

static void fds_process_exit(void *ctx, struct process *p)
{
	process_forget(ctx, p->pid);
}

static void fds_tick(void *ctx, uint64_t now_ns)
{
	struct fds *d = ctx;

	if (now_ns < d->judged_ns + JUDGE_EVERY_NS)
		return;
	d->judged_ns = now_ns;
	judge_sites(d, 0, now_ns);
	fds_judge_groups(d, 0, true);
}

static void fds_finish(void *state, uint64_t now_ns)
{
	struct fds *d = state;

	judge_sites(d, 0, now_ns);
	fds_judge_groups(d, 0, false);
}

static void fds_destroy(void *state)
{
	struct fds *d = state;
	struct opened *o, *o_next;
	struct site *s, *s_next;
	struct fds_process *p, *p_next;

	HASH_ITER (hh, d->opened, o, o_next)
		opened_free(d, o);
	HASH_ITER (hh, d->sites, s, s_next) {
		HASH_DEL(d->sites, s);
		free(s);
	}
	HASH_ITER (hh, d->processes, p, p_next) {
		HASH_DEL(d->processes, p);
		free(p);
	}
	fds_forget_groups(d, 0);
	fds_forget_places(d, 0);
	free(d);
}

const struct detector fds_detector = {
	.name = "fds",
	.doc = "descriptors that are opened and never closed",
	.rules = fds_rules,
	.options = options,
	.create = fds_create,
	.destroy = fds_destroy,
	.observer = {.rare_event = fds_event,
		     .conn_open = fds_open,
		     .conn_close = fds_close,
		     .process_exit = fds_process_exit,
		     .tick = fds_tick},
	.finish = fds_finish,
};
