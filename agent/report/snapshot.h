/*
 * A snapshot of metrics while it is built: metrics into a list, points into one array. For metrics.c and what it is made of.
 */
#ifndef GAPSCOPE_REPORT_SNAPSHOT_H
#define GAPSCOPE_REPORT_SNAPSHOT_H

#include "report/series.h"

struct snapshot {
	struct metric *list;
	size_t list_n, list_room;
	struct metric_point *own;
	size_t own_n, own_room;
	uint64_t start_ns, now_ns;
};

/* A metric whose points follow, by snapshot_point. */
void snapshot_own(struct snapshot *s, struct metric head);
/* A point of the latest such metric, with one attribute or none (key NULL); texts must outlive the snapshot. */
void snapshot_point(struct snapshot *s, double value, const char *key, const char *text);
/* A metric with the points of a series; left out while it has none. */
void snapshot_series(struct snapshot *s, struct metric head, struct series *series);

#endif
