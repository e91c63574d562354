/*
 * The resource: who the telemetry is about, by OpenTelemetry's resource conventions.
 *
 * Owner: the command that opens the exporters; it must outlive them. Attributes: service.name, service.instance.id, process.pid,
 * process.creation.time, process.executable.name, host.name, telemetry.sdk.*, k8s.* from the environment, and
 * OTEL_RESOURCE_ATTRIBUTES. Never a command line: it holds personal data and secrets.
 */
#ifndef GAPSCOPE_EXPORTERS_RESOURCE_H
#define GAPSCOPE_EXPORTERS_RESOURCE_H

#include "exporters/exporter.h"

struct resource_input {
	const char *service;     /* given by flag or configuration; NULL = OTEL_SERVICE_NAME, else unknown_service:<exe> */
	const char *exe;         /* path of the watched program, NULL if unknown */
	uint32_t pid;            /* of the watched process, 0 if unknown */
	uint64_t start_ns;       /* when it was started, Unix ns; 0 if unknown */
	const char *instance_id; /* NULL = a random UUID v4 */
	/* The environment; NULL = getenv. */
	char *(*env)(const char *name);
};

/* 0 or -errno. A value of the environment that had to be ignored is told in one line in warning ("" if none). */
int resource_new(const struct resource_input *in, struct resource **ret, char *warning, size_t warning_size);
void resource_free(struct resource *r);
/* Value of a text attribute, NULL if it is not there. */
const char *resource_text(const struct resource *r, const char *key);

#endif
