/*
 * Keys of services that have a form but no prefix. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SERVICES_H
#define GAPSCOPE_SCAN_SERVICES_H

#include "scan/entities.h"
#include "scan/keyname.h"

/* Once before the others; any thread, as often as it likes. */
void services_prepare(void);
/* Is the value at `at` of the form of a service that `name`, which names a secret, names too? */
bool service_key_at(const struct text *t, size_t at, const struct keyname *name, struct span *ret, enum entity_id *ret_entity);
/* The same of a name that is the service's only: "wandb: 1f0c…". */
bool service_alone_at(const struct text *t, size_t at, const struct keyname *name, struct span *ret, enum entity_id *ret_entity);

#endif
