/*
 * What the detectors cost: thread CPU time a request, of the model and the protocols alone and with all detectors, interleaved.
 *
 *   bench_detectors [ROUNDS]
 *
 * A request here is a whole exchange on a client connection (write, read), one in ten failing. The promise is at most 1 µs a request for the whole set on
 * one core of its own; asserted is only the ratio to the work that is done without detectors, because machines differ.
 */
#include <math.h>
#include <time.h>

#include "all_detectors.h"

#define REQUESTS 20000
#define CONNS 16
#define RATIO_MAX 5.0 /* with all detectors, over without any: what is left without them is little */

struct way {
	const char *name;
	bool detectors;
	double best;
};

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void drive(struct all_detectors *a)
{
	for (int i = 0; i < REQUESTS; i++) {
		char path[32];
		snprintf(path, sizeof path, "/orders/%d", i % 500);
		all_detectors_exchange(a, 5 + i % CONNS, path, i % 10 == 0);
		if (i % 1000 == 0)
			script_tick(&a->s);
	}
}

/* ns a request. */
static double measure(bool with_detectors)
{
	struct all_detectors a;

	all_detectors_start(&a, with_detectors);
	for (int fd = 5; fd < 5 + CONNS; fd++) {
		script_socket(&a.s, fd);
		script_connect(&a.s, fd, "10.0.0.9", 80, 0);
	}
	double t0 = cpu_ns();
	drive(&a);
	double took = cpu_ns() - t0;
	all_detectors_done(&a);
	return took / REQUESTS;
}

int main(int argc, char **argv)
{
	struct way ways[] = {{.name = "model and protocols", .best = INFINITY},
			     {.name = "with all detectors", .detectors = true, .best = INFINITY}};
	int rounds = argc > 1 ? atoi(argv[1]) : 7;

	for (int i = 0; i < rounds; i++) {
		for (size_t k = 0; k < 2; k++)
			ways[k].best = fmin(ways[k].best, measure(ways[k].detectors));
	}
	for (size_t k = 0; k < 2; k++)
		printf("%-22s %7.0f ns a request (two events)\n", ways[k].name, ways[k].best);
	double more = ways[1].best - ways[0].best, ratio = ways[1].best / ways[0].best;
	printf("the whole detector set adds %.0f ns a request: %s 1 µs; %.2f times\n", more, more <= 1000 ? "within" : "above",
	       ratio);
	return ratio <= RATIO_MAX ? 0 : 1;
}
