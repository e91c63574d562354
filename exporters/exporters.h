/* The entries that exporter_table lists. For exporters.c and the files that define them. */
#ifndef GAPSCOPE_EXPORTERS_EXPORTERS_H
#define GAPSCOPE_EXPORTERS_EXPORTERS_H

#include "exporters/exporter.h"

extern const struct exporter exporter_otlp, exporter_file, exporter_prometheus, exporter_jsonl, exporter_queue;

#endif
