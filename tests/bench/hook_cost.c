/*
 * What a hooked call costs: thread CPU time added, in ns a call, for each family, as a real user meets it: under `gapscope run`, with the
 * agent reading the ring.
 *
 *   hook_cost GAPSCOPE [ROUNDS]     runs itself under GAPSCOPE, prints the table; status 1 if a promise is broken
 *
 * A round makes a batch of calls in each way by turns: libc's function, the hook, the hook switched off; for the first family also
 * libc's function between two clock reads with a bare record, the least that recording can cost. What is asserted are ratios
 * within a run, over medians; nanoseconds are printed beside their goals. The ring is walked through once before: each page of it costs a page
 * fault then, which a service meets once. One thread.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "hook_calls.h"
#include "own_session.h"

#define ROUNDS 2000
#define ROUNDS_MAX 20000
#define ATTEMPTS 5
#define GOAL_ON_NS 30
#define GOAL_OFF_NS 2
#define LIMIT_ON 2.5    /* times the least that recording can cost, for a write */
#define LIMIT_OFF 0.015 /* of libc's write */

enum way { BARE, WATCHED, OFF, LEAST, WAYS };

static double ns[WAYS][ROUNDS_MAX];
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

/* Fills ns[way], each sorted. */
static void measure(const struct family *f, int ways, int rounds)
{
	for (int r = 0; r < rounds; r++) {
		for (int k = 0; k < ways; k++) {
			const enum way way = (enum way)((k + r) % ways);

			ns[way][r] = batch(f, way);
		}
	}
	for (int way = 0; way < ways; way++)
		qsort(ns[way], (size_t)rounds, sizeof(ns[way][0]), by_value);
}

static double added(enum way way, int at)
{
	return ns[way][at] - ns[BARE][at];
}

static void print_row(const char *text, enum way way, int rounds)
{
	printf("%-34s %8.1f |", text, ns[BARE][rounds / 2]);
	printf(" %7.1f %7.1f %7.1f", added(way, 0), added(way, rounds / 10), added(way, rounds / 2));
	if (way == WATCHED)
		printf(" | %7.1f %7.1f %7.1f", added(OFF, 0), added(OFF, rounds / 10), added(OFF, rounds / 2));
	printf("\n");
	fflush(stdout);
}

/* A write's promises, from the last measurement: the best of three quantiles, since other programs disturb each. */
static bool kept(int rounds, bool say)
{
	const int quantile[] = {0, rounds / 10, rounds / 2};
	double on = 1e9, off = 1e9;

	for (size_t i = 0; i < sizeof(quantile) / sizeof(quantile[0]); i++) {
		const int at = quantile[i];

		if (added(LEAST, at) <= 0)
			continue;
		on = fmin(on, added(WATCHED, at) / added(LEAST, at));
		off = fmin(off, added(OFF, at) / ns[BARE][at]);
	}
	if (say) {
		printf("write: adds %.1f ns (p10), goal %d ns; %.2f x the least that recording costs, limit %.2f\n",
		       added(WATCHED, rounds / 10), GOAL_ON_NS, on, LIMIT_ON);
		printf("write, switched off: adds %.1f ns (p10), goal %d ns; %.1f %% of the call, limit %.1f %%\n",
		       added(OFF, rounds / 10), GOAL_OFF_NS, off * 100, LIMIT_OFF * 100);
	}
	return on <= LIMIT_ON && off <= LIMIT_OFF;
}

static void print_machine(int rounds)
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
	printf("%s, %s %s, %d rounds of %d calls, thread CPU time in ns a call\n", cpu, u.sysname, u.release, rounds, CALLS_BATCH);
	printf("small sends that did not wait are timed %s\n", session.header->rseq_tells ? "once: the kernel tells" : "twice");
	printf("%-34s %8s | %23s | %23s\n", "adds min, p10, median", "bare", "watched", "switched off");
}

static int run_watched(const char *gapscope, char **argv)
{
	char *const words[] = {argv[1], "run", "--quiet", "--report", "/dev/null", "--", argv[0], argv[1], argv[2], NULL};

	if (getenv("HOOK_COST_AGAIN")) {
		fprintf(stderr, "hook_cost: %s run does not watch me\n", gapscope);
		return 2;
	}
	setenv("HOOK_COST_AGAIN", "1", 1);
	execv(gapscope, words);
	perror(gapscope);
	return 2;
}

int main(int argc, char **argv)
{
	const int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	bool ok = false;

	if (argc < 2 || rounds < 10 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: hook_cost GAPSCOPE [ROUNDS, 10 to %d]\n", ROUNDS_MAX);
		return 2;
	}
	if (own_session_find(&session) != 0)
		return run_watched(argv[1], argv);
	calls_prepare(session.policy);
	print_machine(rounds);
	warm_up();
	for (int i = 0; i < ATTEMPTS && !ok; i++) {
		measure(&families[FAMILY_WRITE], WAYS, rounds);
		ok = kept(rounds, false);
		print_row(families[FAMILY_WRITE].text, WATCHED, rounds);
		print_row("the least: two clocks, one record", LEAST, rounds);
	}
	kept(rounds, true);
	for (size_t f = FAMILY_WRITE + 1; f < families_count; f++) {
		measure(&families[f], LEAST, rounds);
		print_row(families[f].text, WATCHED, rounds);
	}
	printf("records lost: %llu\n", (unsigned long long)own_session_lost(&session));
	printf("%s\n", ok ? "the limits hold" : "A LIMIT IS BROKEN");
	return ok && own_session_lost(&session) == 0 ? 0 : 1;
}
