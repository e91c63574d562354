/*
 * How OpenTelemetry reads environment variables (specification: environment variables, parsing; OTLP exporter configuration).
 * Pure functions, any thread.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_ENV_PARSE_H
#define GAPSCOPE_EXPORTERS_OTLP_ENV_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one variable; NULL = getenv. */
typedef char *(*env_fn)(const char *name);

/* Value of a variable; NULL where unset or empty, which is the same. */
const char *env_text(env_fn env, const char *name);
/* Only "true" in any case is true; anything else that is set is false. */
bool env_true(env_fn env, const char *name, bool fallback);
/* A whole number ≥ 0. 0, or -EINVAL with *ret untouched where the value is none; unset leaves *ret untouched too. */
int env_number(env_fn env, const char *name, uint64_t *ret);
/* Percent-decode in place. False for a malformed escape. */
bool percent_decode_in_place(char *text);
/* Calls fn for each "key=value" of a comma-separated list, trimmed, with keys and values percent-decoded. False, after any number of
 * calls, where the list is malformed (no '=', empty key, bad escape). */
typedef void (*pair_fn)(void *ctx, const char *key, const char *value);
bool pairs_parse(const char *list, pair_fn fn, void *ctx);

#endif
