/*
 * The exporters of a session: opened from `--export NAME[:TARGET]` and the environment, told everything, flushed and closed.
 *
 * Owned by the command; main thread. An exporter's network work is on its own thread.
 */
#ifndef GAPSCOPE_COMMANDS_OUTPUTS_H
#define GAPSCOPE_COMMANDS_OUTPUTS_H

#include "commands/flags.h"
#include "exporters/exporter.h"
#include "exporters/resource.h"

#define OUTPUTS_MAX (FLAG_LIST_MAX + 1U) /* those named, and OTLP by environment */

struct outputs {
	struct {
		const struct exporter *exporter;
		void *state;
		uint64_t metrics_due_ns;
	} item[OUTPUTS_MAX];
	size_t n;
	struct resource *resource; /* owned; made with the first exporter */
};

/* Open those named; OTLP too when `by_env` and OTEL_EXPORTER_OTLP_ENDPOINT is set. 0, or -errno with one line in err. */
int outputs_open(struct outputs *o, const struct flag_list *names, bool by_env, const struct resource_input *who, char *err,
		 size_t err_size);
/* For session_options.sink. */
struct telemetry_sink outputs_sink(struct outputs *o);
/* All that was read has been handed on. */
void outputs_turn(struct outputs *o);
/* How often outputs_metrics_tick is to be called, with metrics as they stand: each exporter gets them as often as it wants them. */
unsigned int outputs_metrics_every_ms(const struct outputs *o);
void outputs_metrics_tick(struct outputs *o, const struct metric *m, size_t n, uint64_t now_ns);
/* Metrics for all, at the end of a session. */
void outputs_metrics(struct outputs *o, const struct metric *m, size_t n, uint64_t now_ns);
/* Send what is queued, at most timeout_ms in all, and close. With `tell`, one line for each exporter that could not deliver all. */
void outputs_close(struct outputs *o, unsigned int timeout_ms, bool tell);

#endif
