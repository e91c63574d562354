/*
 * Pushes numbered spans through an OTLP exporter with a durable queue, and says after every few how many of them are safe: delivered, or on
 * file. Made to be killed at any moment.
 *
 *   queue_driver URL QUEUE-TARGET FIRST COUNT     spans "n<FIRST>" …; COUNT 0: only deliver what the queue has
 *   queue_driver URL QUEUE-TARGET steady COUNT    as a service makes them, whatever becomes of them; QUEUE-TARGET "-": in memory
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporters/exporter.h"
#include "exporters/resource.h"

#define FULL 512U /* a batch: stored at once */
#define SMALL 7U  /* waits for company a little */
#define SMALL_EVERY 16U
#define STEADY_SPANS 40U /* every 2 ms: 20,000 a second */
#define STEADY_NS 2000000
#define FLUSH_MS 60000U

/* What is decided or on file, of what this run pushed. The queue is in order, so these are the first. */
static uint64_t safe(const struct exporter *x, void *state)
{
	struct export_counts c[EXPORT_SIGNALS];
	x->counts(state, c);
	const struct export_counts *s = &c[EXPORT_SPANS];
	if (s->produced != s->acknowledged + s->rejected + s->dropped + s->queued)
		abort();
	return s->acknowledged + s->rejected + s->dropped + s->kept - s->inherited;
}

static void push(const struct exporter *x, void *state, uint64_t number)
{
	char name[32];
	struct span span = {.kind = SPAN_CLIENT, .start_ns = 1, .end_ns = 2, .trace_flags = 1, .name = name};
	snprintf(name, sizeof name, "n%" PRIu64, number);
	number++; /* an id is not zero */
	memcpy(span.trace_id, &number, sizeof number);
	memcpy(span.span_id, &number, sizeof number);
	x->span(state, &span);
}

static void steady(const struct exporter *x, void *state, uint64_t count)
{
	struct timespec due;
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (uint64_t n = 0; n < count; n++) {
		push(x, state, n);
		if (n % STEADY_SPANS != 0)
			continue;
		due.tv_nsec += STEADY_NS;
		due.tv_sec += due.tv_nsec / 1000000000;
		due.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
}

/* Processor time and the most memory that was used. (getrusage would tell that of who started this program.) */
static void tell_cost(void)
{
	char line[256];
	struct timespec cpu;
	FILE *status = fopen("/proc/self/status", "r");
	long kb = -1;
	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		sscanf(line, "VmHWM: %ld", &kb);
	if (status != NULL)
		fclose(status);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("{\"cpu_ms\": %.1f, \"peak_kb\": %ld}\n", (double)cpu.tv_sec * 1e3 + (double)cpu.tv_nsec / 1e6, kb);
}

static void tell(const struct exporter *x, void *state)
{
	struct export_counts c[EXPORT_SIGNALS];
	x->counts(state, c);
	const struct export_counts *s = &c[EXPORT_SPANS];
	printf("{\"produced\": %" PRIu64 ", \"acknowledged\": %" PRIu64 ", \"rejected\": %" PRIu64 ", \"dropped\": %" PRIu64
	       ", \"queued\": %" PRIu64 ", \"inherited\": %" PRIu64 ", \"kept\": %" PRIu64 "}\n",
	       s->produced, s->acknowledged, s->rejected, s->dropped, s->queued, s->inherited, s->kept);
}

int main(int argc, char **argv)
{
	const struct exporter *x = exporter_find("otlp"), *q = exporter_find("queue");
	const struct timespec pause = {.tv_nsec = 200000};
	struct resource *resource;
	void *state, *queue = NULL;
	char err[256], told[256] = "";
	if (argc != 5)
		return 2;
	const struct resource_input about = {.service = "queue"};
	const bool in_memory = strcmp(argv[2], "-") == 0, is_steady = strcmp(argv[3], "steady") == 0;
	if (resource_new(&about, &resource, err, sizeof err) != 0 ||
	    (!in_memory && q->open(argv[2], resource, &queue, err, sizeof err) != 0) ||
	    x->open(argv[1], resource, &state, err, sizeof err) != 0) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	if (err[0] != '\0')
		fprintf(stderr, "%s\n", err);
	uint64_t first = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (is_steady) {
		steady(x, state, count);
		tell_cost();
	}
	for (uint64_t n = is_steady ? count : 0, round = 1; n < count; round++) {
		unsigned int at_once = round % SMALL_EVERY == 0 ? SMALL : FULL;
		for (unsigned int i = 0; i < at_once && n < count; i++)
			push(x, state, first + n++);
		/* another thread brings it about */
		for (uint64_t done; (done = safe(x, state)) < n; nanosleep(&pause, NULL))
			printf("safe %" PRIu64 "\n", done);
		printf("safe %" PRIu64 "\n", n);
		x->last_error(state, err, sizeof err);
		if (err[0] != '\0' && strcmp(err, told) != 0)
			fprintf(stderr, "%s\n", strcpy(told, err));
	}
	if (count == 0)
		x->flush(state, FLUSH_MS);
	tell(x, state);
	x->close(state, 0);
	if (queue != NULL)
		q->close(queue, 0);
	resource_free(resource);
	return 0;
}
