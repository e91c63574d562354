/*
 * What a hooked call costs: thread CPU time added, in ns a call, for each family, as a real user meets it: under `gapscope run`, with the
 * agent reading the ring.
 *
 *   hook_cost GAPSCOPE [RUNS]     runs itself under GAPSCOPE so many times, prints the table; status 1 if a promise is broken
 *
 * A round makes a batch of calls in each way, in random order: libc's function, the hook, the hook switched off; for the first family also
 * libc's function between two clock reads with a bare record, the least that recording can cost. What is asserted are ratios
 * within a run; nanoseconds are printed beside their goals. The ring is walked through once before: each page of it costs a page
 * fault then, which a service meets once. One thread, on one processor.
 *
 * Two things disturb, and neither is the hook's. A processor that other machines use, too, is slower by half for seconds at a time, and so is
 * what is added to a call: so the families take turns, some rounds in a row each, a block; ways are compared within a
 * block, and what counts is the half of a family's blocks in which libc's own function was fastest, their median. And where pages come
 * to lie decides what meets in a cache, as long as a process lives: so there are several, of which the faster half counts in the same way.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "hook_calls.h"
#include "own_session.h"

#define RUNS 9
#define RUNS_MAX 100
#define BLOCKS 8  /* of a family in a run */
#define ROUNDS 50 /* of a block */
#define ATTEMPTS 3
#define FAMILIES_MAX 20
#define GOAL_ON_NS 30
#define GOAL_OFF_NS 2
#define LIMIT_ON 2.5    /* times the least that recording can cost, for a write */
#define LIMIT_OFF 0.015 /* of libc's write */

enum way { BARE, WATCHED, OFF, LEAST, WAYS };
enum statistic { MIN, P10, MEDIAN, STATISTICS };

/* ns a call; in a block's, the call's own; in a run's, what a way adds to libc's own */
struct cost {
	double ns[WAYS][STATISTICS];
};

struct run {
	struct cost family[FAMILIES_MAX];
	uint64_t lost;
	bool rseq_tells;
};

static struct cost blocks[FAMILIES_MAX][BLOCKS];
static struct run runs[RUNS_MAX];
static struct own_session session;

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double batch(const struct family *f, enum way way)
{
	const struct functions *const to = way == BARE ? bare : way == LEAST ? least : hooked;
	double start, end;

	own_session_wait(&session);
	own_session_switch(&session, way != OFF);
	if (f->before)
		f->before();
	start = thread_ns();
	for (int i = 0; i < CALLS_BATCH; i++)
		f->call(to);
	end = thread_ns();
	if (f->after)
		f->after();
	own_session_switch(&session, true);
	return (end - start) / CALLS_BATCH;
}

static void warm_up(void)
{
	for (unsigned int at = 0; at < WIRE_RING_BYTES_DEFAULT; at += CALLS_BATCH * WIRE_UNIT)
		(void)batch(&families[FAMILY_WRITE], WATCHED);
}

static void shuffle(enum way *order, int n)
{
	for (int k = n - 1; k > 0; k--) {
		const int other = rand() % (k + 1);
		const enum way way = order[k];

		order[k] = order[other];
		order[other] = way;
	}
}

static int ways_of(size_t family)
{
	return family == FAMILY_WRITE ? WAYS : LEAST;
}

/* The first round is not counted: another family has just had the caches. */
static void measure(size_t family, int block)
{
	const int ways = ways_of(family);
	double ns[WAYS][ROUNDS];
	enum way order[WAYS] = {BARE, WATCHED, OFF, LEAST};

	for (int r = -1; r < ROUNDS; r++) {
		shuffle(order, ways);
		for (int k = 0; k < ways; k++) {
			const double one = batch(&families[family], order[k]);

			if (r >= 0)
				ns[order[k]][r] = one;
		}
	}
	for (int way = 0; way < ways; way++) {
		double *const of = blocks[family][block].ns[way];

		qsort(ns[way], ROUNDS, sizeof(ns[way][0]), by_value);
		of[MIN] = ns[way][0];
		of[P10] = ns[way][ROUNDS / 10];
		of[MEDIAN] = ns[way][ROUNDS / 2];
	}
}

static int by_speed(const void *a, const void *b)
{
	return by_value(&((const struct cost *)a)->ns[BARE][MEDIAN], &((const struct cost *)b)->ns[BARE][MEDIAN]);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(v[0]), by_value);
	return v[n / 2];
}

/* From the faster half of its blocks. */
static void sum_up(size_t family, struct cost *ret)
{
	const int n = BLOCKS / 2;
	struct cost *const of = blocks[family];
	double v[BLOCKS];

	qsort(of, BLOCKS, sizeof(of[0]), by_speed);
	for (int way = 0; way < ways_of(family); way++) {
		for (int s = 0; s < STATISTICS; s++) {
			for (int i = 0; i < n; i++)
				v[i] = of[i].ns[way][s] - (way == BARE ? 0 : of[i].ns[BARE][s]);
			ret->ns[way][s] = median(v, n);
		}
	}
}

/* From the faster half of the runs. */
static double figure(size_t family, int count, enum way way, enum statistic s)
{
	double speed[RUNS_MAX], v[RUNS_MAX];
	int n = 0;

	for (int i = 0; i < count; i++)
		speed[i] = runs[i].family[family].ns[BARE][MEDIAN];

	const double slowest = median(speed, count);

	for (int i = 0; i < count; i++) {
		if (runs[i].family[family].ns[BARE][MEDIAN] <= slowest)
			v[n++] = runs[i].family[family].ns[way][s];
	}
	return median(v, n);
}

static void print_added(size_t family, int count, enum way way)
{
	printf(" |");
	for (int s = 0; s < STATISTICS; s++)
		printf(" %7.1f", figure(family, count, way, (enum statistic)s));
}

static void print_row(size_t family, int count)
{
	printf("%-34s %8.1f", families[family].text, figure(family, count, BARE, MEDIAN));
	print_added(family, count, WATCHED);
	print_added(family, count, OFF);
	printf("\n");
	if (family == FAMILY_WRITE) {
		printf("%-34s %8s", "the least: two clocks, one record", "");
		print_added(family, count, LEAST);
		printf("\n");
	}
}

/* A write's promises: the best of three statistics, since other programs disturb each. */
static bool kept(int count, bool say)
{
	double on = 1e9, off = 1e9;

	for (int i = 0; i < STATISTICS; i++) {
		const enum statistic s = (enum statistic)i;
		const double recording = figure(FAMILY_WRITE, count, LEAST, s);

		if (recording > 0)
			on = fmin(on, figure(FAMILY_WRITE, count, WATCHED, s) / recording);
		off = fmin(off, figure(FAMILY_WRITE, count, OFF, s) / figure(FAMILY_WRITE, count, BARE, s));
	}
	if (say) {
		printf("write: adds %.1f ns (p10), goal %d ns; %.2f x the least that recording costs, limit %.2f\n",
		       figure(FAMILY_WRITE, count, WATCHED, P10), GOAL_ON_NS, on, LIMIT_ON);
		printf("write, switched off: adds %.1f ns (p10), goal %d ns; %.1f %% of the call, limit %.1f %%\n",
		       figure(FAMILY_WRITE, count, OFF, P10), GOAL_OFF_NS, off * 100, LIMIT_OFF * 100);
	}
	return on <= LIMIT_ON && off <= LIMIT_OFF;
}

static void print_machine(int count)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], cpu[200] = "unknown processor";
	struct utsname u;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "model name : %199[^\n]", cpu) == 1)
			break;
	}
	if (f)
		fclose(f);
	uname(&u);
	printf("%s, %s %s, thread CPU time in ns a call: %d runs, each of %d blocks of %d rounds of %d calls\n", cpu, u.sysname,
	       u.release, count, BLOCKS, ROUNDS, CALLS_BATCH);
	printf("small sends that did not wait are timed %s\n", runs[0].rseq_tells ? "once: the kernel tells" : "twice");
	printf("%-34s %8s | %23s | %23s\n", "adds min, p10, median", "bare", "watched", "switched off");
}

/* Bare and watched calls on the same processor, whichever it is. */
static void stay_here(void)
{
	const int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Watched: measure everything once, and write what came out to the file `into`. */
static int run_once(const char *into)
{
	struct run run = {.rseq_tells = session.header->rseq_tells};
	FILE *f;

	stay_here();
	calls_prepare(session.policy);
	warm_up();
	for (int i = 0; i < BLOCKS; i++) {
		for (size_t family = 0; family < families_count; family++)
			measure(family, i);
	}
	for (size_t family = 0; family < families_count; family++)
		sum_up(family, &run.family[family]);
	run.lost = own_session_lost(&session);
	f = fopen(into, "w");
	if (!f || fwrite(&run, sizeof(run), 1, f) != 1 || fclose(f) != 0) {
		perror(into);
		return 2;
	}
	return 0;
}

/* This program under gapscope, once. False: it said why. */
static bool run_watched(const char *gapscope, char *self, struct run *ret)
{
	char into[] = "/tmp/gapscope-bench-XXXXXX";
	char *const words[] = {(char *)(uintptr_t)gapscope, "run", "--quiet", "--report", "/dev/null", "--", self, into, NULL};
	const int fd = mkstemp(into);
	int status = -1;
	bool ok = false;
	pid_t pid;

	if (fd < 0) {
		perror(into);
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv(gapscope, words);
		perror(gapscope);
		_exit(2);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		ok = read(fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
	if (!ok)
		fprintf(stderr, "hook_cost: the run under %s failed\n", gapscope);
	close(fd);
	unlink(into);
	return ok;
}

int main(int argc, char **argv)
{
	const int some = argc > 2 ? atoi(argv[2]) : RUNS;
	uint64_t lost = 0;
	int count = 0;
	bool ok = false;

	if (argc < 2 || some < 1 || some > RUNS_MAX / ATTEMPTS || families_count > FAMILIES_MAX) {
		fprintf(stderr, "usage: hook_cost GAPSCOPE [RUNS, 1 to %d]\n", RUNS_MAX / ATTEMPTS);
		return 2;
	}
	if (own_session_find(&session) == 0)
		return run_once(argv[1]);
	while (!ok && count < some * ATTEMPTS) {
		for (int i = 0; i < some; i++, count++) {
			if (!run_watched(argv[1], argv[0], &runs[count]))
				return 2;
			lost += runs[count].lost;
		}
		ok = kept(count, false);
	}
	print_machine(count);
	for (size_t f = 0; f < families_count; f++)
		print_row(f, count);
	kept(count, true);
	printf("records lost: %llu\n", (unsigned long long)lost);
	printf("%s\n", ok ? "the limits hold" : "A LIMIT IS BROKEN");
	return ok && lost == 0 ? 0 : 1;
}
