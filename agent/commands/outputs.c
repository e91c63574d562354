/*
 * Fan-out from one session to its exporters (outputs.h).
 */
#include "commands/outputs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "core/monotonic.h"
#include "exporters/self_metrics.h"

#define NS_PER_MS 1000000ULL

/* The exporter of NAME[:TARGET]. */
static const struct exporter *find(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, ":"), name);
	return exporter_find(word);
}

static int open_one(struct outputs *o, const char *name, char *err, size_t err_size)
{
	size_t len = strcspn(name, ":");
	char why[256] = "";
	const struct exporter *x = find(name);

	if (!x) {
		snprintf(err, err_size, "--export %s: unknown exporter '%.*s'; `gapscope list exporters` shows those that exist",
			 name, (int)len, name);
		return -EINVAL;
	}
	int e = x->open(name[len] ? name + len + 1 : NULL, o->resource, &o->item[o->n].state, why, sizeof(why));
	if (e < 0) {
		snprintf(err, err_size, "--export %s: %s", name, *why ? why : strerror(-e));
		return e;
	}
	if (*why)
		complain("--export %s: %s", name, why);
	o->item[o->n].metrics_due_ns = 0;
	o->item[o->n++].exporter = x;
	return 0;
}

int outputs_open(struct outputs *o, const struct flag_list *names, bool by_env, const struct resource_input *who, char *err,
		 size_t err_size)
{
	const char *endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	bool env = by_env && endpoint && *endpoint, otlp = false;
	char warning[256] = "";
	int e = 0;

	o->n = 0;
	o->resource = NULL;
	if (names->n == 0 && !env)
		return 0;
	e = resource_new(who, &o->resource, warning, sizeof(warning));
	if (e < 0) {
		snprintf(err, err_size, "cannot describe the service to exporters: %s", strerror(-e));
		return e;
	}
	if (*warning)
		complain("%s", warning);
	for (int first = 1; first >= 0 && e == 0; first--) {
		for (size_t i = 0; i < names->n && e == 0; i++) {
			const struct exporter *x = find(names->items[i]);
			if ((x && x->serves_others) != (first == 1))
				continue;
			otlp = otlp || x == exporter_find("otlp");
			e = open_one(o, names->items[i], err, err_size);
		}
	}
	if (e == 0 && env && !otlp)
		e = open_one(o, "otlp", err, err_size);
	if (e < 0)
		outputs_close(o, 0, false);
	return e;
}

static void on_span(void *ctx, const struct span *s)
{
	struct outputs *o = ctx;

	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->span)
			o->item[i].exporter->span(o->item[i].state, s);
}

static void on_finding(void *ctx, const json_t *finding, const uint8_t *trace_id, const uint8_t *span_id, uint64_t time_ns)
{
	struct outputs *o = ctx;

	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->finding)
			o->item[i].exporter->finding(o->item[i].state, finding, trace_id, span_id, time_ns);
}

static void on_keep(void *ctx, const uint8_t *span_id)
{
	struct outputs *o = ctx;

	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->keep)
			o->item[i].exporter->keep(o->item[i].state, span_id);
}

void outputs_turn(struct outputs *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->turn)
			o->item[i].exporter->turn(o->item[i].state);
}

struct telemetry_sink outputs_sink(struct outputs *o)
{
	return o->n ? (struct telemetry_sink){.span = on_span, .finding = on_finding, .keep = on_keep, .ctx = o}
		    : (struct telemetry_sink){0};
}

/* The session's metrics with what the exporters say of themselves: a new array. NULL when memory is out. */
static struct metric *with_own(const struct outputs *o, const struct metric *m, size_t *n, uint64_t now_ns,
			       struct self_metrics *own)
{
	struct self_exporter list[OUTPUTS_MAX];
	size_t used = 0;

	for (size_t i = 0; i < o->n; i++) {
		if (!o->item[i].exporter->counts)
			continue;
		list[used].name = o->item[i].exporter->name;
		o->item[i].exporter->counts(o->item[i].state, list[used++].counts);
	}
	int e = self_metrics_make(list, used, *n && m[0].points_n ? m[0].points[0].start_ns : now_ns, now_ns, own);
	struct metric *all = e == 0 ? calloc(*n + own->n + 1, sizeof(*all)) : NULL;
	if (!all) {
		self_metrics_done(own);
		return NULL;
	}
	if (*n)
		memcpy(all, m, *n * sizeof(*all));
	if (own->n)
		memcpy(all + *n, own->metrics, own->n * sizeof(*all));
	*n += own->n;
	return all;
}

static void give_metrics(struct outputs *o, const struct metric *m, size_t n, uint64_t now_ns, bool all)
{
	uint64_t every_ns = exporter_metric_interval_ms() * NS_PER_MS;
	struct self_metrics own;
	struct metric *list = with_own(o, m, &n, now_ns, &own);

	for (size_t i = 0; list && i < o->n; i++) {
		const struct exporter *x = o->item[i].exporter;
		uint64_t *due = &o->item[i].metrics_due_ns;
		/* ticks may come more often than everybody wants, and a little early */
		if (!x->metrics || !(all || x->metrics_every_ms || now_ns + every_ns / 20 >= *due))
			continue;
		x->metrics(o->item[i].state, list, n, now_ns);
		*due = now_ns + every_ns;
	}
	if (list)
		self_metrics_done(&own);
	free(list);
}

void outputs_metrics(struct outputs *o, const struct metric *m, size_t n, uint64_t now_ns)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->settle)
			o->item[i].exporter->settle(o->item[i].state);
	give_metrics(o, m, n, now_ns, true);
}

unsigned int outputs_metrics_every_ms(const struct outputs *o)
{
	unsigned int ms = exporter_metric_interval_ms();

	for (size_t i = 0; i < o->n; i++)
		if (o->item[i].exporter->metrics_every_ms && o->item[i].exporter->metrics_every_ms < ms)
			ms = o->item[i].exporter->metrics_every_ms;
	return ms;
}

void outputs_metrics_tick(struct outputs *o, const struct metric *m, size_t n, uint64_t now_ns)
{
	give_metrics(o, m, n, now_ns, false);
}

static uint64_t now_ms(void)
{
	return monotonic_ns() / 1000000U;
}

static void tell_losses(const struct exporter *x, void *state)
{
	struct export_counts counts[EXPORT_SIGNALS] = {0};
	uint64_t missing = 0, produced = 0, kept = 0;

	if (!x->counts)
		return;
	x->counts(state, counts);
	for (size_t s = 0; s < EXPORT_SIGNALS; s++) {
		produced += counts[s].produced;
		missing += counts[s].rejected + counts[s].dropped + counts[s].queued - counts[s].kept;
		kept += counts[s].kept;
	}
	if (kept)
		complain("export %s: %" PRIu64 " spans, data points and findings wait in the queue for the next session", x->name,
			 kept);
	if (!missing)
		return;
	char why[256] = "";
	if (x->last_error)
		x->last_error(state, why, sizeof(why));
	complain("export %s: %" PRIu64 " of %" PRIu64 " spans, data points and findings were not delivered: %s", x->name, missing,
		 produced, *why ? why : "check that its endpoint answers");
}

void outputs_close(struct outputs *o, unsigned int timeout_ms, bool tell)
{
	uint64_t end = now_ms() + timeout_ms;

	for (size_t i = 0; i < o->n; i++) {
		uint64_t now = now_ms();
		if (o->item[i].exporter->flush)
			o->item[i].exporter->flush(o->item[i].state, now < end ? (unsigned int)(end - now) : 0);
		if (tell)
			tell_losses(o->item[i].exporter, o->item[i].state);
		now = now_ms();
		o->item[i].exporter->close(o->item[i].state, now < end ? (unsigned int)(end - now) : 0);
	}
	o->n = 0;
	resource_free(o->resource);
	o->resource = NULL;
}
