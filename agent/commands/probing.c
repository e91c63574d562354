/*
 * From the probes to ingest (probing.h). Ingest asks at each poll: then what the probes said is pushed, with what it takes to understand it (new
 * programs' modules, sinks that are known by a socket's name).
 */
#include "commands/probing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attach/loaded.h"
#include "commands/alloc_watch.h"
#include "commands/go_watch.h"
#include "commands/target.h"
#include "core/monotonic.h"
#include "probes/privileges.h"
#include "probes/probes.h"

#define SECOND_NS 1000000000ULL
#define LOAD_STEP_NS 10000000ULL
#define LOAD_STEPS 100U  /* looks for libraries, at the beginning */
#define WATCHED_MAX 256U /* PROBE_PROCESSES: the kernel's side holds no more */
struct probing {
	struct ingest *ingest;
	struct probes *probes;
	bool own_children;
	bool alone;                    /* no program will have the shim */
	bool stands_by;                /* the shim is in what was started first */
	uint32_t watched[WATCHED_MAX]; /* pids, 0 = free */
	bool goes[WATCHED_MAX];        /* Go: its tasks change threads */
	bool over[WATCHED_MAX];        /* has ended: another one may have its place */
	struct go_watch *go;
	struct alloc_watch *alloc;   /* NULL: allocations are not watched */
	uint64_t told[PROBE_COUNTS]; /* losses that ingest knows */
	uint64_t next_look_ns;       /* CLOCK_MONOTONIC */
	uint32_t pid;                /* whose modules are told, and when */
	uint64_t at_ns, next_load_ns;
	int modules;          /* of it, so far */
	unsigned int loading; /* looks at it that are left */
	bool first_module;
};

static uint32_t *place_of(struct probing *p, uint32_t pid)
{
	for (size_t i = 0; i < WATCHED_MAX; i++)
		if (p->watched[i] == pid)
			return &p->watched[i];
	return NULL;
}

/* Of one that is watched. */
static size_t index_of(const struct probing *p, const uint32_t *place)
{
	return (size_t)(place - p->watched);
}

bool probing_has(const struct probing *p, pid_t pid)
{
	for (size_t i = 0; p != NULL && i < WATCHED_MAX; i++)
		if (p->watched[i] == (uint32_t)pid)
			return true;
	return false;
}

static uint32_t *free_place(struct probing *p)
{
	uint32_t *place = place_of(p, 0);

	for (size_t i = 0; place == NULL && i < WATCHED_MAX; i++)
		if (p->over[i])
			place = &p->watched[i];
	return place;
}

static void adopt(struct probing *p, uint32_t pid)
{
	uint32_t *place = place_of(p, pid);

	if (place == NULL && (place = free_place(p)) != NULL) {
		*place = pid;
		p->goes[index_of(p, place)] = false;
		go_watch_end(p->go, index_of(p, place));
	}
	if (place != NULL)
		p->over[index_of(p, place)] = false;
	if (place == NULL || ingest_adopt(p->ingest, pid) < 0)
		ingest_push_lost(p->ingest, WIRE_LOSS_PROBE_PROCESSES, 1);
}

static void on_over(void *ctx, uint32_t pid)
{
	struct probing *p = ctx;
	const uint32_t *place = place_of(p, pid);

	if (place != NULL)
		p->over[index_of(p, place)] = true;
}

/* Before what was said is read: of those that the kernel's side knows no more, the rest is read next. Their end may have been lost. */
static void note_ended(struct probing *p)
{
	for (size_t i = 0; i < WATCHED_MAX; i++)
		p->over[i] = p->over[i] || (p->watched[i] != 0 && !probes_has(p->probes, p->watched[i]));
}

static void on_module(void *ctx, const struct wire_record *module, const uint8_t *data)
{
	struct probing *p = ctx;
	struct wire_record r = *module;

	r.t0 = r.t1 = p->at_ns;
	if (p->first_module) /* the program itself: it lies in front of its libraries */
		go_watch_moved(p->go, index_of(p, place_of(p, p->pid)), r.a0);
	p->first_module = false;
	ingest_push(p->ingest, p->pid, p->pid, &r, data);
}

static void count_module(void *ctx, const struct wire_record *module, const uint8_t *data)
{
	(void)ctx;
	(void)module;
	(void)data;
}

/* The modules of a process; of one that is gone already, at least its program. */
static void tell_modules(struct probing *p, uint32_t pid, uint64_t at_ns, const char *path, uint64_t code)
{
	p->pid = pid;
	p->at_ns = at_ns;
	p->first_module = true;
	p->modules = loaded_tell((pid_t)pid, on_module, p);
	if (p->modules <= 0 && path != NULL)
		(void)loaded_program(path, code, on_module, p);
}

/* A dynamic program has its libraries a moment after its beginning: they are told as if they had been there. */
static void tell_libraries(struct probing *p, uint64_t now)
{
	if (p->loading == 0 || now < p->next_load_ns)
		return;
	p->next_load_ns = now + LOAD_STEP_NS;
	if (loaded_tell((pid_t)p->pid, count_module, NULL) > p->modules)
		tell_modules(p, p->pid, p->at_ns, NULL, 0);
	p->loading--;
}

/* The logging daemons' sockets are log sinks, whichever library speaks to them. */
static bool is_log_socket(const struct wire_record *r, const uint8_t *data)
{
	static const char *const sinks[] = {"/dev/log", "/run/systemd/journal/socket", "/run/systemd/journal/dev-log",
					    "/run/systemd/journal/stdout"};
	struct sockaddr_un u = {0};
	const size_t len = r->data_len < sizeof(u) ? r->data_len : sizeof(u) - 1;

	if (r->event != WIRE_CONNECT || r->ret != 0 || len <= offsetof(struct sockaddr_un, sun_path))
		return false;
	memcpy(&u, data, len);
	for (size_t i = 0; u.sun_family == AF_UNIX && i < sizeof(sinks) / sizeof(sinks[0]); i++)
		if (strncmp(u.sun_path, sinks[i], sizeof(u.sun_path)) == 0)
			return true;
	return false;
}

/* A goroutine goes on in whichever thread is free: there a thread says nothing of who acts, and all of the process counts as one, as with an
 * event loop. */
static void look_for_go(struct probing *p, uint32_t pid, uint32_t parent, const char *path)
{
	const uint32_t *place = place_of(p, pid), *from = parent != 0 ? place_of(p, parent) : NULL;

	if (place != NULL)
		p->goes[place - p->watched] =
			from != NULL ? p->goes[from - p->watched] : go_watch_begin(p->go, index_of(p, place), pid, path);
}

static void on_go(void *ctx, const struct probe_call *c, const uint8_t *data)
{
	struct probing *p = ctx;
	const uint32_t *place = place_of(p, c->tgid);

	if (place != NULL)
		go_watch_call(p->go, index_of(p, place), c, data);
}

static bool is_go(struct probing *p, uint32_t pid)
{
	const uint32_t *place = place_of(p, pid);

	return place != NULL && p->goes[place - p->watched];
}

static void on_record(void *ctx, uint32_t pid, uint32_t tid, const struct wire_record *r, const uint8_t *data)
{
	struct probing *p = ctx;

	if (r->event == WIRE_FORK_CHILD && place_of(p, (uint32_t)r->a0) != NULL) {
		adopt(p, pid);
		look_for_go(p, pid, (uint32_t)r->a0, NULL);
	}
	if (place_of(p, pid) == NULL) { /* the shim's, told before the probes knew */
		if (r->event == WIRE_FORK_CHILD)
			probes_rest(p->probes, pid);
		return;
	}
	if (is_go(p, pid))
		tid = pid;
	go_watch_record(p->go, index_of(p, place_of(p, pid)), r);
	if (is_log_socket(r, data))
		probes_set_policy(p->probes, pid, r->fd, WIRE_POLICY_SINK, r->t1);
	ingest_push(p->ingest, pid, tid, r, data);
}

static void on_stack(void *ctx, uint32_t pid, uint32_t site, uint64_t mono_ns, const struct probe_stack *s)
{
	const struct probing *p = ctx;
	struct wire_stack stack = {.bytes_len = s->bytes_len <= WIRE_STACK_BYTES ? s->bytes_len : 0};
	const struct ingest_stack told = {
		.mono_ns = mono_ns,
		.site = site,
		.stack = &stack,
		.bytes = s->bytes,
		.pcs = s->pcs,
		.pcs_n = s->frames <= PROBE_FRAMES ? s->frames : 0,
	};

	memcpy(stack.regs, s->regs, sizeof(stack.regs));
	ingest_push_stack(p->ingest, pid, &told);
}

/* Will the shim be in this program? It comes with the environment that `run` made. Of one that has gone on to the next program already, /proc
 * says no more what it was. */
static bool shim_comes(const struct probing *p, uint32_t pid, const char *path, struct target *t)
{
	char err[256], exe[64];

	if (!p->own_children || p->alone)
		return false;
	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	if ((path[0] != '/' || target_find(path, t, err, sizeof(err)) < 0) && target_find(exe, t, err, sizeof(err)) < 0)
		return false;
	return t->kind == TARGET_WATCHABLE;
}

/* The shim watches this program. What it starts may be for the probes again; but the command itself, once it is not just a launcher, is
 * what is meant, and then the probes only cost. */
static void leave(struct probing *p, uint32_t pid, uint32_t parent, const struct target *t)
{
	uint32_t *place = place_of(p, pid);

	p->stands_by = true;
	probes_rest(p->probes, pid);
	if (place != NULL)
		*place = 0;
	if (parent == (uint32_t)getpid() && !target_launches(t))
		probes_stop(p->probes);
}

int probing_says(const struct probing *p, const char *who, const char *why, char *text, size_t size)
{
	return snprintf(text, size, "%s is watched by probes in the kernel (eBPF): %s%s", who, why, alloc_watch_says(p->alloc));
}

/* Said for the report: `run` could not know it when it started the launcher. */
static void note_way(const struct probing *p, uint32_t pid, const struct wire_record *start, const struct target *t)
{
	struct wire_record note = {.event = WIRE_SOURCE_INFO, .units = 1, .fd = -1, .t0 = start->t1, .t1 = start->t1};
	char text[PATH_MAX + 256];
	const int n = probing_says(p, t->binary, target_why(t->kind), text, sizeof(text));

	note.data_len = n > 0 && (size_t)n < sizeof(text) ? (uint32_t)n : 0;
	ingest_push(p->ingest, pid, pid, &note, (const uint8_t *)text);
}

static void on_image(void *ctx, uint32_t pid, const struct wire_record *start, const uint8_t *data, uint64_t code)
{
	struct probing *p = ctx;
	struct wire_record told = *start;
	char path[PATH_MAX];
	struct target t = {.kind = TARGET_OTHER};

	snprintf(path, sizeof(path), "%.*s", (int)start->data_len, (const char *)data);
	if (shim_comes(p, pid, path, &t)) {
		leave(p, pid, (uint32_t)start->a0, &t);
		return;
	}
	adopt(p, pid);
	look_for_go(p, pid, 0, path);
	told.a1 = is_go(p, pid) ? 1 : 2;
	ingest_push(p->ingest, pid, pid, &told, data);
	tell_modules(p, pid, start->t1, path, code);
	p->loading = p->alone ? LOAD_STEPS : 0;
	alloc_watch_tell(p->alloc, pid, start->t1, path);
	if (p->stands_by && target_probes(t.kind))
		note_way(p, pid, start, &t);
}

static void tell_losses(struct probing *p)
{
	static const struct {
		enum probe_count count;
		enum wire_loss cause;
	} losses[] = {
		{PROBE_COUNT_FULL, WIRE_LOSS_PROBE_FULL},
		{PROBE_COUNT_NO_SLOT, WIRE_LOSS_PROBE_THREADS},
		{PROBE_COUNT_NO_PROCESS, WIRE_LOSS_PROBE_PROCESSES},
		{PROBE_COUNT_NO_BLOCK, WIRE_LOSS_HEAP_FULL},
		{PROBE_COUNT_NO_FREE, WIRE_LOSS_HEAP_FREE},
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		const uint64_t n = probes_count(p->probes, losses[i].count);
		uint64_t *told = &p->told[losses[i].count];

		if (n > *told)
			ingest_push_lost(p->ingest, losses[i].cause, n - *told);
		*told = n;
	}
}

static void on_poll(void *ctx, bool drain)
{
	struct probing *p = ctx;
	const struct probes_sink sink = {
		.record = on_record, .stack = on_stack, .image = on_image, .go = on_go, .over = on_over, .ctx = p};
	const uint64_t now = monotonic_ns();

	if (drain)
		probes_stop(p->probes);
	else
		alloc_watch_tick(p->alloc);
	if (now >= p->next_look_ns)
		note_ended(p);
	probes_read(p->probes, ingest_wall_ns(p->ingest), &sink);
	tell_losses(p);
	go_watch_tick(p->go, now);
	tell_libraries(p, now);
	if (now < p->next_look_ns)
		return;
	p->next_look_ns = now + SECOND_NS;
	probes_waiting(p->probes, now, SECOND_NS, &sink);
}

int probing_open(struct ingest *in, bool own_children, struct probing **ret, char *why, size_t size)
{
	const struct probes_options o = {.own_children = own_children, .policies_of = ingest_shared(in)};
	struct probing *p = calloc(1, sizeof(*p));
	int e;

	if (p == NULL) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	e = probes_open(&o, &p->probes, why, size);
	if (e < 0) {
		free(p);
		return e;
	}
	p->go = go_watch_new(p->probes, in); /* without memory: as if there were none */
	p->alloc = alloc_watch_new(p->probes, in);
	p->ingest = in;
	p->own_children = own_children;
	ingest_on_poll(in, on_poll, p);
	*ret = p;
	return 0;
}

int probing_watch(struct probing *p, pid_t pid, char *why, size_t size)
{
	char exe[64], path[PATH_MAX];
	struct wire_record start = {.event = WIRE_PROCESS_START, .units = 1, .fd = -1};
	ssize_t n;
	int e;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	n = readlink(exe, path, sizeof(path));
	start.t0 = start.t1 = monotonic_ns();
	start.data_len = n > 0 ? (uint32_t)n : 0;
	adopt(p, (uint32_t)pid);
	look_for_go(p, (uint32_t)pid, 0, NULL);
	start.a1 = is_go(p, (uint32_t)pid) ? 1 : 2;
	ingest_push(p->ingest, (uint32_t)pid, (uint32_t)pid, &start, (const uint8_t *)path);
	tell_modules(p, (uint32_t)pid, start.t1, NULL, 0);
	alloc_watch_begin(p->alloc, pid);
	alloc_watch_tell(p->alloc, (uint32_t)pid, start.t1, NULL);
	e = probes_watch(p->probes, pid);
	if (e < 0)
		snprintf(why, size, "%s", e == -ENOSPC ? "the probes have room for no more processes" : strerror(-e));
	return e;
}

static void expect(void *ctx, const struct target *t)
{
	struct probing *p = ctx;

	if (t->kind != TARGET_GO && t->kind != TARGET_STATIC && !(p->alone && alloc_watch_wants(t)))
		return;
	go_watch_expect(p->go, t->path);
	alloc_watch_expect(p->alloc, t->binary);
}

void probing_alone(struct probing *p)
{
	if (p != NULL)
		p->alone = true;
}

void probing_expect(struct probing *p, char *const *argv)
{
	if (p != NULL)
		target_each(argv, expect, p);
}

void probing_policy(struct probing *p, pid_t pid, int fd, uint8_t policy, uint64_t seen_ns)
{
	if (p != NULL)
		probes_set_policy(p->probes, (uint32_t)pid, fd, policy, seen_ns - ingest_wall_ns(p->ingest));
}

void probing_settle(const struct probing *p)
{
	if (p != NULL)
		(void)privileges_drop();
}

void probing_close(struct probing *p)
{
	if (p == NULL)
		return;
	ingest_on_poll(p->ingest, NULL, p);
	go_watch_free(p->go);
	alloc_watch_free(p->alloc);
	probes_free(p->probes);
	free(p);
}
