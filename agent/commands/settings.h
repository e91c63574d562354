/*
 * What a session is to do: the sum of defaults, configuration file and flags (the later wins). Shared by `run` and `replay`.
 *
 * Texts belong to argv or to the settings themselves (settings_done frees these).
 */
#ifndef GAPSCOPE_COMMANDS_SETTINGS_H
#define GAPSCOPE_COMMANDS_SETTINGS_H

#include "commands/flags.h"
#include "detectors/detector.h"

#define SETTINGS_DETECTORS_MAX 16U /* rows of detector_table that can be configured */
#define SETTINGS_OPTIONS_MAX 32U   /* options of one detector */
#define SETTINGS_ALLOC_MEAN 524288U
#define SETTINGS_ALLOC_FIRST 2048U
#define SETTINGS_ALLOC_MEAN_MAX (1U << 30)
#define SETTINGS_TEXTS_MAX 64U /* texts of the configuration file that are kept */

struct detector_settings {
	bool off;
	double values[SETTINGS_OPTIONS_MAX]; /* in the order of the detector's option table */
};

/* Of `attach` only. */
struct attach_settings {
	const char *name, *cgroup, *unit, *label;
	uint32_t port, duration_ms;
};

struct settings {
	const char *report, *record, *config, *service, *format, *prove, *histograms;
	struct flag_list exports;
	uint32_t rings, ring_size, report_every_s, scan_cpu;
	const char *alloc_profile;
	uint32_t alloc_mean; /* 0 = SETTINGS_ALLOC_MEAN */
	bool no_stacks, quiet, with_parent, alloc;
	struct attach_settings attach;
	struct detector_settings detectors[SETTINGS_DETECTORS_MAX];
	char *texts[SETTINGS_TEXTS_MAX]; /* owned */
	size_t texts_n;
};

/* Flags of `run`; each but `config` is also a key of the configuration file. */
extern const struct flag run_flags[];
/* Flags of `attach`. */
extern const struct flag attach_flags[];
/* Flags of `replay`. */
extern const struct flag replay_flags[];

/*
 * Defaults, then the file that --config names, then the flags of `table`. Returns the index of the first operand, or -errno with one
 * line in err.
 */
int settings_load(struct settings *s, const struct flag *table, int argc, char **argv, char *err, size_t err_size);
void settings_done(struct settings *s);
/* For ingest_options: 0 = allocations are not watched. */
uint32_t settings_alloc_mean(const struct settings *s);
/* For session_options: ctx is the struct settings. */
const double *settings_detector_options(void *ctx, const struct detector *d);
bool settings_detector_enabled(void *ctx, const struct detector *d);
/* Row of a detector in detector_table, by name; -1 if unknown. */
int settings_detector_index(const char *name);

#endif
