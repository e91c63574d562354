/* See tls_watch.h. */
#include "commands/tls_watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/program_files.h"
#include "commands/target.h"
#include "commands/tls_inside.h"
#include "commands/tls_sites.h"
#include "core/monotonic.h"
#include "probes/tls.h"
#include "wire/tls.h"

#define SECOND_NS 1000000000ULL
#define LOADED_NS (SECOND_NS / 2) /* after so long a program has loaded its libraries */
#define SESSIONS 4096U
#define NOTE_BYTES 512U

/* A session of a library in a process, whose handshake was told. In the place that it has by its address: who loses it tells it again. */
struct session {
	uint64_t at;
	uint64_t pid;
	uint64_t hello;
};

/* A slot of ingest's: whose it is, and how far one has come with that. */
struct looked {
	uint32_t pid;
	uint64_t began_ns; /* the program in it */
	bool again;        /* what it has loaded by then is to be looked at */
};

struct tls_watch {
	struct ingest *ingest;
	struct tls_probes *probes;       /* NULL: none is needed (yet), or they cannot be loaded */
	char why[256];                   /* they cannot */
	struct program_files files;      /* that were looked at */
	bool refused[PROGRAM_FILES_MAX]; /* which of them should have probes, and have none; until that is said */
	struct looked *slots;            /* as many as ingest has */
	struct session sessions[SESSIONS];
	uint64_t lost;
	uint64_t next_look_ns; /* CLOCK_MONOTONIC */
};

/* -- what is told -- */

static struct session *place_of(struct tls_watch *w, const struct tls_said *said)
{
	return &w->sessions[((said->session >> 4) ^ (said->session >> 16) ^ said->tgid) % SESSIONS];
}

static void push(struct tls_watch *w, const struct tls_said *said, struct wire_record r, const uint8_t *data)
{
	r.units = 1;
	r.fd = -1;
	r.t0 = said->t0;
	r.t1 = said->t1;
	r.a1 = said->session;
	ingest_push(w->ingest, said->tgid, said->tid, &r, data);
}

static bool is_known(const struct tls_said *said)
{
	static const uint8_t zeros[TLS_RANDOM];

	return memcmp(said->random, zeros, sizeof(zeros)) != 0;
}

static void on_said(void *ctx, const struct tls_said *said, const uint8_t *data)
{
	const bool out = said->what == TLS_PROBE_WRITE || said->what == TLS_PROBE_WRITE_EX;
	struct tls_watch *w = ctx;
	struct session told = {.at = said->session, .pid = said->tgid, .hello = wire_tls_random(said->random)};

	static_assert(TLS_RANDOM >= WIRE_TLS_RANDOM_BYTES, "all that a connection is recognised by");
	if (said->what == TLS_PROBE_FREE) {
		told.hello = 0; /* another one may be there next */
		*place_of(w, said) = told;
		push(w, said, (struct wire_record){.event = WIRE_TLS_END}, NULL);
		return;
	}
	if (is_known(said) && memcmp(place_of(w, said), &told, sizeof(told)) != 0) {
		*place_of(w, said) = told;
		push(w, said, (struct wire_record){.event = WIRE_TLS_HELLO, .a0 = told.hello}, NULL);
	}
	push(w, said,
	     (struct wire_record){.event = out ? WIRE_TLS_WRITE : WIRE_TLS_READ,
				  .ret = (int64_t)said->bytes,
				  .flags = said->bytes > said->data_len ? WIRE_F_TRUNCATED : 0,
				  .data_len = said->data_len},
	     data);
}

/* -- whom to watch -- */

/* The program at `path`, which is looked at once: its index, or -errno. */
static int program_of(struct tls_watch *w, const char *path)
{
	struct tls_site sites[TLS_SITES_MAX];
	const char *why = NULL;
	size_t stand = 0;
	struct stat st;
	int n, at;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	if ((at = program_files_find(&w->files, &st)) >= 0)
		return at;
	if ((at = program_files_add(&w->files, &st)) < 0 || (n = tls_sites_find(path, sites, &why)) <= 0)
		return at; /* tls_inside says why not */
	if (w->probes == NULL && tls_probes_open(&w->probes, w->why, sizeof(w->why)) < 0)
		w->probes = NULL;
	for (int i = 0; w->probes != NULL && i < n; i++)
		stand += tls_probes_stand(w->probes, path, sites[i].offset, sites[i].cookie) == 0;
	w->refused[at] = stand == 0;
	return at;
}

static void say_unseen(struct tls_watch *w, uint32_t pid, const char *what, const char *why)
{
	struct wire_record note = {.event = WIRE_SOURCE_INFO, .units = 1, .fd = -1};
	char text[NOTE_BYTES];
	const int n = snprintf(text, sizeof(text), "process %u: %s%s", pid, what, why);

	note.t0 = note.t1 = monotonic_ns();
	note.data_len = n > 0 && (size_t)n < sizeof(text) ? (uint32_t)n : 0;
	ingest_push(w->ingest, pid, pid, &note, (const uint8_t *)text);
}

void tls_watch_process(struct tls_watch *w, pid_t pid)
{
	char exe[64];
	int at;

	if (w == NULL)
		return;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	at = program_of(w, exe);
	/* Whatever it is: it may become another program. */
	if (w->probes != NULL)
		(void)tls_probes_watch(w->probes, (uint32_t)pid);
	if (at < 0 || !w->refused[at])
		return;
	w->refused[at] = false;
	say_unseen(w, (uint32_t)pid, "OpenSSL is a part of the program, and requests inside of TLS are not seen: ",
		   w->why[0] != '\0' ? w->why : "the kernel takes no probes any more, the privileges were given up");
}

/* By the second look it has loaded what it loads. */
static void tell_unseen(struct tls_watch *w, struct looked *l)
{
	enum tls_way way;
	const char *text;

	l->again = false;
	if (tls_inside((pid_t)l->pid, &way, &text) == 0 && way == TLS_WAY_UNSEEN)
		say_unseen(w, l->pid, "", text);
}

/* Only what has changed since is looked at: a program that began in this slot. */
static void look(struct tls_watch *w, bool last)
{
	const uint64_t now_ns = ingest_now_ns(w->ingest);

	for (uint32_t i = 0; i < ingest_shared(w->ingest)->process_max; i++) {
		const struct looked now = {
			.pid = ingest_process(w->ingest, i), .began_ns = ingest_began_ns(w->ingest, i), .again = true};
		struct looked *l = &w->slots[i];

		if (now.pid == 0)
			l->pid = 0;
		else if (now.pid != l->pid || now.began_ns != l->began_ns) {
			*l = now;
			tls_watch_process(w, (pid_t)now.pid);
			if (last || now_ns >= now.began_ns + LOADED_NS)
				tell_unseen(w, l);
		} else if (l->again)
			tell_unseen(w, l);
	}
}

static void on_poll(void *ctx, bool drain)
{
	struct tls_watch *w = ctx;
	const uint64_t now = monotonic_ns();
	uint64_t lost;

	if (w->probes != NULL) {
		tls_probes_read(w->probes, on_said, w);
		lost = tls_probes_count(w->probes, TLS_FULL);
		if (lost > w->lost)
			ingest_push_lost(w->ingest, WIRE_LOSS_PROBE_FULL, lost - w->lost);
		w->lost = lost;
	}
	if (!drain && now < w->next_look_ns)
		return;
	w->next_look_ns = now + SECOND_NS;
	look(w, drain);
}

static void expect(void *ctx, const struct target *t)
{
	if (t->kind != TARGET_GO)
		(void)program_of(ctx, t->binary);
}

void tls_watch_expect(struct tls_watch *w, char *const *argv)
{
	if (w == NULL)
		return;
	target_each(argv, expect, w);
	/* What this process starts from now on is watched from its first moment on. */
	if (w->probes != NULL)
		(void)tls_probes_watch(w->probes, (uint32_t)getpid());
}

struct tls_watch *tls_watch_new(struct ingest *in)
{
	struct tls_watch *w = calloc(1, sizeof(*w));

	if (w != NULL)
		w->slots = calloc(ingest_shared(in)->process_max, sizeof(*w->slots));
	if (w == NULL || w->slots == NULL) {
		free(w);
		return NULL;
	}
	w->ingest = in;
	w->next_look_ns = monotonic_ns() + SECOND_NS;
	ingest_on_poll(in, on_poll, w);
	return w;
}

void tls_watch_free(struct tls_watch *w)
{
	if (w == NULL)
		return;
	ingest_on_poll(w->ingest, NULL, w);
	tls_probes_free(w->probes);
	free(w->slots);
	free(w);
}
