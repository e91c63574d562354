/*
 * The table of exporters. A new one: one file, one entry, one row here.
 */
#include <string.h>

#include "exporters/exporter.h"
#include "exporters/exporters.h"

const struct exporter *const exporter_table[] = {
	&exporter_otlp,       /* over the network, to a receiver */
	&exporter_file,       /* the Collector's own form, in a file */
	&exporter_prometheus, /* to be scraped */
	&exporter_jsonl,      /* a line each */
	&exporter_queue,      /* on disk until a receiver takes it */
	NULL,
};

const struct exporter *exporter_find(const char *name)
{
	for (const struct exporter *const *x = exporter_table; *x != NULL; x++)
		if (strcmp((*x)->name, name) == 0)
			return *x;
	return NULL;
}
