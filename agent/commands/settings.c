/*
 * Settings: the flag tables of `run` and `replay`, and the order in which defaults, file and flags count. Main thread.
 */
#include "commands/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/config.h"
#include "wire/shared.h"

#define ROW_REPORT \
	{ \
		.name = "report", .kind = FLAG_TEXT, .offset = offsetof(struct settings, report), .arg = "FILE", \
		.doc = "write the report there, as JSON, whole or not at all; without it the report goes to standard error as " \
		       "text" \
	}
#define ROW_REPORT_EVERY \
	{ \
		.name = "report-every", .kind = FLAG_COUNT, .offset = offsetof(struct settings, report_every_s), .arg = "S", \
		.doc = "write the report every S seconds too, not only at the end", .min = 1, .max = 86400 \
	}
#define ROW_EXPORT \
	{ \
		.name = "export", .kind = FLAG_LIST, .offset = offsetof(struct settings, exports), .arg = "NAME[:TARGET]", \
		.doc = "send spans, metrics and findings to an exporter (see `gapscope list exporters`); may be given several " \
		       "times" \
	}
#define ROW_CONFIG \
	{ \
		.name = "config", .kind = FLAG_TEXT, .offset = offsetof(struct settings, config), .arg = "FILE", \
		.doc = "read this YAML file first; flags win over it" \
	}
#define ROW_QUIET \
	{ \
		.name = "quiet", .kind = FLAG_SWITCH, .offset = offsetof(struct settings, quiet), \
		.doc = "print nothing but errors" \
	}

#define ROW_WITH_PARENT \
	{ \
		.name = "with-parent", .kind = FLAG_SWITCH, .offset = offsetof(struct settings, with_parent), \
		.doc = "end, as on SIGTERM, when the process that started gapscope does" \
	}
#define ROW_PROVE \
	{ \
		.name = "prove", .kind = FLAG_TEXT, .offset = offsetof(struct settings, prove), .arg = "SPEC", \
		.doc = "inject faults, as `gapscope gate --prove` does: \"on\", or any of " \
		       "faults=stall+503,share=10,errors=20,seconds=60,hold=30,learn=5,dry" \
	}
#define ROW_RECORD \
	{ \
		.name = "record", .kind = FLAG_TEXT, .offset = offsetof(struct settings, record), .arg = "FILE", \
		.doc = "record the session's events there, redacted, for `gapscope replay`" \
	}
#define ROW_SERVICE \
	{ \
		.name = "service", .kind = FLAG_TEXT, .offset = offsetof(struct settings, service), .arg = "NAME", \
		.doc = "name of the service; else OTEL_SERVICE_NAME, else the program's name" \
	}
#define ROW_RINGS \
	{ \
		.name = "rings", .kind = FLAG_COUNT, .offset = offsetof(struct settings, rings), .arg = "N", \
		.doc = "threads that can be watched at once (default 512)", .min = 1, .max = 65536 \
	}
#define ROW_RING_SIZE \
	{ \
		.name = "ring-size", .kind = FLAG_COUNT, .offset = offsetof(struct settings, ring_size), .arg = "BYTES", \
		.doc = "shared memory for one thread, rounded up to a power of two (default 131072)", .min = WIRE_RING_BYTES_MIN, \
		.max = WIRE_RING_BYTES_MAX \
	}
#define ROW_SCAN_CPU \
	{ \
		.name = "scan-cpu", .kind = FLAG_COUNT, .offset = offsetof(struct settings, scan_cpu), .arg = "PERCENT", \
		.doc = "of one processor that reading logs may take (default 50); beyond it log writes are sampled, and the " \
		       "report says " \
		       "what share was read", \
		.min = 1, .max = 100 \
	}
#define ROW_NO_STACKS \
	{ \
		.name = "no-stacks", .kind = FLAG_SWITCH, .offset = offsetof(struct settings, no_stacks), \
		.doc = "take no call stacks: findings then carry no call site" \
	}

#define ROW_HISTOGRAMS \
	{ \
		.name = "histograms", .kind = FLAG_TEXT, .offset = offsetof(struct settings, histograms), .arg = "KIND", \
		.doc = "OTLP's form of durations: explicit buckets (default) or exponential ones; else " \
		       "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", \
		.choices = histogram_kinds \
	}

#define ROW_ALLOC \
	{ \
		.name = "alloc", .kind = FLAG_SWITCH, .offset = offsetof(struct settings, alloc), \
		.doc = "watch allocations too: leaks, growth, and who asks for memory; by sampling" \
	}
#define ROW_ALLOC_MEAN \
	{ \
		.name = "alloc-mean", .kind = FLAG_COUNT, .offset = offsetof(struct settings, alloc_mean), .arg = "BYTES", \
		.doc = "with --alloc: sample an allocation every so many bytes, on average (default: 2048 at first, up to " \
		       "524288 as samples add up)", \
		.min = 1, .max = SETTINGS_ALLOC_MEAN_MAX \
	}

#define ROW_ALLOC_PROFILE \
	{ \
		.name = "alloc-profile", .kind = FLAG_TEXT, .offset = offsetof(struct settings, alloc_profile), .arg = "FILE", \
		.doc = "write the memory profile there with each report, for `go tool pprof`: allocated and in use, by call stack" \
	}

static const char *const histogram_kinds[] = {"explicit", "exponential", NULL};

const struct flag run_flags[] = {
	ROW_REPORT, ROW_REPORT_EVERY, ROW_RECORD,     ROW_EXPORT,        ROW_CONFIG,      ROW_SERVICE,
	ROW_RINGS,  ROW_RING_SIZE,    ROW_NO_STACKS,  ROW_SCAN_CPU,      ROW_WITH_PARENT, ROW_PROVE,
	ROW_QUIET,  ROW_ALLOC,        ROW_ALLOC_MEAN, ROW_ALLOC_PROFILE, ROW_HISTOGRAMS,  {0},
};

const struct flag attach_flags[] = {
	{.name = "name",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct settings, attach.name),
	 .arg = "COMM",
	 .doc = "watch every process of this name, and their children"},
	{.name = "port",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct settings, attach.port),
	 .arg = "N",
	 .doc = "watch who listens on this TCP port",
	 .min = 1,
	 .max = 65535},
	{.name = "cgroup",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct settings, attach.cgroup),
	 .arg = "PATH",
	 .doc = "watch the processes of this cgroup"},
	{.name = "unit",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct settings, attach.unit),
	 .arg = "UNIT",
	 .doc = "watch the processes of this systemd unit"},
	{.name = "label",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct settings, attach.label),
	 .arg = "KEY[=VALUE]",
	 .doc = "watch the processes of the containers with this label (Docker), or annotation (containerd, CRI-O, Podman); VALUE "
		"may be a "
		"pattern"},
	{.name = "duration",
	 .kind = FLAG_TIME,
	 .offset = offsetof(struct settings, attach.duration_ms),
	 .arg = "TIME",
	 .doc = "detach after so long (500ms, 2s or 2, 5m, 1h); without it on SIGINT or SIGTERM, or when the service has ended",
	 .min = 1,
	 .max = FLAG_TIME_MAX},
	ROW_REPORT,
	ROW_REPORT_EVERY,
	ROW_RECORD,
	ROW_EXPORT,
	ROW_HISTOGRAMS,
	ROW_CONFIG,
	ROW_SERVICE,
	ROW_RINGS,
	ROW_RING_SIZE,
	ROW_NO_STACKS,
	ROW_SCAN_CPU,
	ROW_ALLOC,
	ROW_ALLOC_MEAN,
	ROW_ALLOC_PROFILE,
	ROW_WITH_PARENT,
	ROW_PROVE,
	ROW_QUIET,
	{0},
};

static const char *const replay_formats[] = {"json", "text", NULL};

const struct flag replay_flags[] = {
	ROW_REPORT,
	ROW_ALLOC_PROFILE,
	ROW_EXPORT,
	ROW_HISTOGRAMS,
	ROW_CONFIG,
	{.name = "format",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct settings, format),
	 .arg = "FORMAT",
	 .doc = "what to print where no --report is given: text (default) or json",
	 .choices = replay_formats},
	ROW_QUIET,
	{0},
};

int settings_detector_index(const char *name)
{
	for (int i = 0; detector_table[i] && i < (int)SETTINGS_DETECTORS_MAX; i++)
		if (strcmp(detector_table[i]->name, name) == 0)
			return i;
	return -1;
}

uint32_t settings_alloc_mean(const struct settings *s)
{
	return !s->alloc ? 0 : s->alloc_mean ? s->alloc_mean : SETTINGS_ALLOC_MEAN;
}

static void set_defaults(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t d = 0; detector_table[d] && d < SETTINGS_DETECTORS_MAX; d++) {
		const struct option *o = detector_table[d]->options;
		for (size_t i = 0; o && o[i].name && i < SETTINGS_OPTIONS_MAX; i++)
			s->detectors[d].values[i] = o[i].value;
	}
}

int settings_load(struct settings *s, const struct flag *table, int argc, char **argv, char *err, size_t err_size)
{
	struct settings first;

	set_defaults(&first);
	int operand = flags_parse(table, argc, argv, &first, err, err_size);
	if (operand < 0)
		return operand;
	if (!first.config) {
		*s = first;
		return operand;
	}
	set_defaults(s);
	int r = config_load(first.config, s, err, err_size);
	if (r < 0) {
		settings_done(s);
		return r;
	}
	/* Exporters named on the command line replace those of the file; all else is overwritten one by one. */
	if (first.exports.n)
		s->exports.n = 0;
	return flags_parse(table, argc, argv, s, err, err_size);
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->texts_n; i++)
		free(s->texts[i]);
	s->texts_n = 0;
}

const double *settings_detector_options(void *ctx, const struct detector *d)
{
	const struct settings *s = ctx;
	int i = settings_detector_index(d->name);

	return i < 0 ? NULL : s->detectors[i].values;
}

bool settings_detector_enabled(void *ctx, const struct detector *d)
{
	const struct settings *s = ctx;
	int i = settings_detector_index(d->name);

	return i < 0 || !s->detectors[i].off;
}
