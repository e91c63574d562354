/* See alloc_watch.h. */
#include "commands/alloc_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/alloc_sites.h"
#include "commands/program_files.h"
#include "commands/target.h"
#include "probes/alloc_cost.h"

#define NS_PER_US 1e3

struct alloc_watch {
	struct probes *probes;
	struct ingest *ingest;
	struct program_files probed;
	double pair_ns; /* 0: not measured yet */
	char says[400];
};

static uint32_t mean_of(struct ingest *in)
{
	return atomic_load_explicit(&ingest_shared(in)->alloc_mean, memory_order_relaxed);
}

bool alloc_watch_wants(const struct target *t)
{
	struct alloc_site sites[ALLOC_SITES_MAX];
	bool operators;
	char why[256];

	return t->kind == TARGET_WATCHABLE && !target_launches(t) &&
	       alloc_sites_find(t->binary, sites, &operators, why, sizeof(why)) > 0;
}

struct alloc_watch *alloc_watch_new(struct probes *probes, struct ingest *in)
{
	struct alloc_watch *w = mean_of(in) != 0 ? calloc(1, sizeof(*w)) : NULL;

	if (w == NULL)
		return NULL;
	w->probes = probes;
	w->ingest = in;
	return w;
}

void alloc_watch_free(struct alloc_watch *w)
{
	free(w);
}

static int put_probes(struct alloc_watch *w, const char *path, bool *ret_operators, char *why, size_t size)
{
	struct alloc_site sites[ALLOC_SITES_MAX];
	const int n = alloc_sites_find(path, sites, ret_operators, why, size);
	int e = n < 0 ? n : 0;

	if (e == 0 && w->pair_ns <= 0 && (e = alloc_cost_measure(w->probes, &w->pair_ns)) < 0)
		snprintf(why, size, "%s",
			 e == -EPERM ? "this kernel ends programs with a seccomp filter where such a probe stands" : strerror(-e));
	for (int i = 0; e == 0 && i < n; i++)
		if ((e = probes_alloc(w->probes, path, sites[i].offset, sites[i].what)) < 0)
			snprintf(why, size, "a probe cannot be put there: %s", strerror(-e));
	return e;
}

/* `exe` leads to the program's file. */
static void look(struct alloc_watch *w, const char *exe)
{
	struct stat st;
	char why[256] = "";
	bool operators = false;
	int e;

	if (stat(exe, &st) < 0 || program_files_find(&w->probed, &st) >= 0)
		return;
	e = put_probes(w, exe, &operators, why, sizeof(why));
	if (e < 0) {
		snprintf(w->says, sizeof(w->says), "; its allocations are not watched: %s", why);
		return;
	}
	(void)program_files_add(&w->probed, &st); /* as many as can have probes */
	snprintf(w->says, sizeof(w->says),
		 "; its allocations are watched by probes too, so that each pair of malloc and free takes %.1f us longer (measured "
		 "here)%s",
		 w->pair_ns / NS_PER_US,
		 operators ? "; what C++'s operator new gives is not seen: it is an allocator of its own" : "");
	alloc_watch_tick(w);
}

void alloc_watch_expect(struct alloc_watch *w, const char *path)
{
	if (w != NULL)
		look(w, path);
}

void alloc_watch_begin(struct alloc_watch *w, pid_t pid)
{
	char exe[64];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	if (w != NULL)
		look(w, exe);
}

const char *alloc_watch_says(const struct alloc_watch *w)
{
	if (w == NULL)
		return "";
	return w->says[0] ? w->says : "; its allocations are not watched: the program was not named on the command line";
}

void alloc_watch_tell(const struct alloc_watch *w, uint32_t pid, uint64_t at_ns, const char *started)
{
	struct wire_record r = {
		.event = WIRE_ALLOC_STATE, .units = 1, .fd = -1, .t0 = at_ns, .t1 = at_ns, .ret = WIRE_ALLOC_WATCHED};
	char exe[64], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (w == NULL)
		return;
	snprintf(exe, sizeof(exe), "/proc/%u/exe", pid);
	n = readlink(exe, path, sizeof(path) - 1);
	if (n < 0 && started != NULL) /* it is over already */
		n = snprintf(path, sizeof(path), "%s", started);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	path[n] = '\0';
	if ((stat(exe, &st) < 0 && stat(path, &st) < 0) || program_files_find(&w->probed, &st) < 0)
		return;
	r.a0 = mean_of(w->ingest);
	r.data_len = (uint32_t)n;
	ingest_push(w->ingest, pid, pid, &r, (const uint8_t *)path);
}

void alloc_watch_tick(const struct alloc_watch *w)
{
	if (w != NULL && w->probed.n > 0)
		probes_alloc_mean(w->probes, mean_of(w->ingest));
}
