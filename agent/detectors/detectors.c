/*
 * The table of detectors, and the names that reports use. No state; any thread.
 */
#include "detectors/detectors.h"

#include <string.h>

/* A row a line. */
/* clang-format off */
const struct detector *const detector_table[] = {
	&deadline_detector,
	&timers_detector,
	&retry_detector,
	&data_detector,
	&heap_detector,
	&fds_detector,
	&close_wait_detector,
	&tasks_detector,
	&churn_detector,
	&backlog_detector,
	&memory_detector,
	NULL,
};
/* clang-format on */

static const char *const severity_names[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const confidence_names[] = {
	[CONFIDENCE_SUSPECTED] = "suspected",
	[CONFIDENCE_OBSERVED] = "observed",
	[CONFIDENCE_PROVEN] = "proven",
};

const char *severity_name(enum severity s)
{
	return (size_t)s < sizeof severity_names / sizeof *severity_names ? severity_names[s] : "?";
}

const char *confidence_name(enum confidence c)
{
	return (size_t)c < sizeof confidence_names / sizeof *confidence_names ? confidence_names[c] : "?";
}

static int rank(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;
	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return (int)i;
}

int severity_rank(const char *name)
{
	return rank(severity_names, sizeof severity_names / sizeof *severity_names, name);
}

int confidence_rank(const char *name)
{
	return rank(confidence_names, sizeof confidence_names / sizeof *confidence_names, name);
}
