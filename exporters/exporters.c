/*
 * The table of exporters. A new one: one file, one entry, one row here.
 */
#include <string.h>

#include "exporters/exporter.h"
#include "exporters/exporters.h"

const struct exporter *const exporter_table[] = {
	&exporter_otlp, &exporter_file, &exporter_prometheus, &exporter_jsonl, &exporter_queue, NULL,
};

const struct exporter *exporter_find(const char *name)
{
	for (const struct exporter *const *x = exporter_table; *x != NULL; x++)
		if (strcmp((*x)->name, name) == 0)
			return *x;
	return NULL;
}
