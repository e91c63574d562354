/*
 * For benchmarks: a model with its protocols and, if wanted, all detectors as they are by default, fed by a script. What they find is thrown
 * away. For one thread.
 */
#ifndef GAPSCOPE_TESTS_BENCH_ALL_DETECTORS_H
#define GAPSCOPE_TESTS_BENCH_ALL_DETECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detectors/detector.h"
#include "model/script.h"
#include "protocols/protocol.h"

#define DETECTORS_MAX 16

struct all_detectors {
	struct script s;
	struct protocols *protocols;
	void *states[DETECTORS_MAX];
	double values[DETECTORS_MAX][32];
	size_t n;
};

static inline void all_detectors_ignore(void *ctx, const struct finding *f)
{
	(void)ctx;
	json_decref(f->evidence);
}

static inline void all_detectors_start(struct all_detectors *a, bool with_detectors)
{
	*a = (struct all_detectors){0};
	script_init(&a->s);
	a->protocols = protocols_new(a->s.model, &a->s.counters);
	model_observe(a->s.model, &protocols_observer, a->protocols);
	for (; with_detectors && a->n < DETECTORS_MAX && detector_table[a->n]; a->n++) {
		const struct detector *d = detector_table[a->n];
		for (size_t k = 0; d->options && d->options[k].name && k < 32; k++)
			a->values[a->n][k] = d->options[k].value;
		const struct detector_env env = {.model = a->s.model,
						 .stacks = a->s.stacks,
						 .counters = &a->s.counters,
						 .options = a->values[a->n],
						 .emit = all_detectors_ignore};
		a->states[a->n] = d->create(&env);
		model_observe(a->s.model, &d->observer, a->states[a->n]);
	}
}

static inline void all_detectors_done(struct all_detectors *a)
{
	script_done(&a->s);
	for (size_t i = 0; i < a->n; i++)
		detector_table[i]->destroy(a->states[i]);
	protocols_free(a->protocols);
}

/* One exchange on a connection, a millisecond long. */
static inline void all_detectors_exchange(struct all_detectors *a, int fd, const char *path, bool fails)
{
	static const char *const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
				 *const bad = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
	char request[128];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: payments\r\n\r\n", path);
	script_write(&a->s, fd, request);
	script_took(&a->s, SCRIPT_MSEC);
	script_read(&a->s, fd, fails ? bad : good);
}

#endif
