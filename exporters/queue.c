/*
 * `--export queue:FOLDER[,MB]`: no destination, but where OTLP exporters keep what is not delivered yet (otlp_store.h). A row of the table,
 * so that it is named, listed and configured as the exporters are that it serves; commands open it before them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/exporters.h"

#define DEFAULT_MB 64U
#define MB_MAX 1048576U

static int queue_open(const char *target, const struct resource *r, void **ret, char *err, size_t err_size)
{
	const char *comma = target != NULL ? strrchr(target, ',') : NULL;
	unsigned long mb = DEFAULT_MB;
	char *end = NULL;
	(void)r;
	err[0] = '\0';
	if (comma != NULL)
		mb = strtoul(comma + 1, &end, 10);
	if (target == NULL || target[0] == '\0' || target == comma || mb == 0 || mb > MB_MAX ||
	    (comma != NULL && (end == comma + 1 || *end != '\0'))) {
		snprintf(err, err_size, "name a folder, and how many MB each queue may have: --export queue:/var/lib/gapscope,64");
		return -EINVAL;
	}
	char *folder = strndup(target, comma != NULL ? (size_t)(comma - target) : strlen(target));
	if (folder == NULL)
		return -ENOMEM;
	exporter_queue_in(folder, (uint64_t)mb * 1000000U);
	*ret = folder;
	return 0;
}

static void queue_close(void *x, unsigned int timeout_ms)
{
	(void)timeout_ms;
	exporter_queue_in(NULL, 0);
	free(x);
}

const struct exporter exporter_queue = {
	.name = "queue",
	.doc = "files in which OTLP exporters keep what is not delivered yet, over restarts: queue:FOLDER[,MB], 64 MB each if not "
	       "said",
	.open = queue_open,
	.close = queue_close,
	.serves_others = true,
};
