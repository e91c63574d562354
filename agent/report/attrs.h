/*
 * Attributes being put together, with room for their texts: cleaned copies, so that nothing points into what they came from.
 */
#ifndef GAPSCOPE_REPORT_ATTRS_H
#define GAPSCOPE_REPORT_ATTRS_H

#include "report/telemetry.h"

struct attrs {
	struct attr *list;
	size_t n, max;
	char *text; /* the caller's, and must outlive the attributes */
	size_t used, size;
};

/* Nothing is put for NULL and "", nor where there is no room. */
void attrs_text(struct attrs *a, const char *key, const char *value);
void attrs_int(struct attrs *a, const char *key, int64_t value);

#endif
