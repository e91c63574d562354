/*
 * The configuration file, YAML:
 *
 *   service: shop              keys are the long flags of `run`
 *   export: [otlp]             a list or one word
 *   detectors:
 *     retry:
 *       enabled: true
 *       unbounded_attempts: 20 options of the detector, see `gapscope list detectors`
 */
#ifndef GAPSCOPE_COMMANDS_CONFIG_H
#define GAPSCOPE_COMMANDS_CONFIG_H

#include "commands/settings.h"

/* Read a file into settings. 0, or -errno with one line in err: "FILE:LINE: KEY: what is wrong". */
int config_load(const char *path, struct settings *s, char *err, size_t err_size);
/* The same from text; `path` is for messages. */
int config_parse(const char *path, const char *text, size_t len, struct settings *s, char *err, size_t err_size);

#endif
