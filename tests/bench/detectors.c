/*
 * What the detectors cost: thread CPU time a request, of the model and the protocols alone and with all detectors, interleaved.
 *
 *   bench_detectors [ROUNDS]
 *
 * A request here is a whole exchange on a client connection (write, read), one in ten failing. The promise is at most 1 µs a request for the whole set on
 * one core of its own; asserted is only the ratio to the work that is done without detectors, because machines differ.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "detectors/detector.h"
#include "model/script.h"
#include "protocols/protocol.h"

#define REQUESTS 20000
#define CONNS 16
#define DETECTORS_MAX 16
#define RATIO_MAX 5.0 /* with all detectors, over without any: what is left without them is little */

struct way {
	const char *name;
	bool detectors;
	double best;
};

static void ignore(void *ctx, const struct finding *f)
{
	(void)ctx;
	json_decref(f->evidence);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void drive(struct script *s)
{
	static const char *const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
				 *const bad = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

	for (int i = 0; i < REQUESTS; i++) {
		char request[128];
		snprintf(request, sizeof request, "GET /orders/%d HTTP/1.1\r\nHost: payments\r\n\r\n", i % 500);
		script_write(s, 5 + i % CONNS, request);
		script_took(s, SCRIPT_MSEC);
		script_read(s, 5 + i % CONNS, i % 10 ? good : bad);
		if (i % 1000 == 0)
			script_tick(s);
	}
}

/* ns a request. */
static double measure(bool with_detectors)
{
	struct script s;
	void *states[DETECTORS_MAX] = {NULL};
	double values[DETECTORS_MAX][32];
	size_t n = 0;

	script_init(&s);
	struct protocols *protocols = protocols_new(s.model, &s.counters);
	model_observe(s.model, &protocols_observer, protocols);
	for (; with_detectors && n < DETECTORS_MAX && detector_table[n]; n++) {
		const struct detector *d = detector_table[n];
		for (size_t k = 0; d->options && d->options[k].name && k < 32; k++)
			values[n][k] = d->options[k].value;
		const struct detector_env env = {
			.model = s.model, .stacks = s.stacks, .counters = &s.counters, .options = values[n], .emit = ignore};
		states[n] = d->create(&env);
		model_observe(s.model, &d->observer, states[n]);
	}
	for (int fd = 5; fd < 5 + CONNS; fd++) {
		script_socket(&s, fd);
		script_connect(&s, fd, "10.0.0.9", 80, 0);
	}
	double t0 = cpu_ns();
	drive(&s);
	double took = cpu_ns() - t0;
	script_done(&s);
	for (size_t i = 0; i < n; i++)
		detector_table[i]->destroy(states[i]);
	protocols_free(protocols);
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
