/*
 * Values of keys that name a secret: what counts as one and where it ends. Include only from agent/scan.
 */
#ifndef GAPSCOPE_SCAN_SECRETS_H
#define GAPSCOPE_SCAN_SECRETS_H

#include "scan/text.h"

/* The value at `at` of a key whose separator is at `sep`: a password, if it is not a mask, a template or the start of a sentence. */
bool password_at(const struct text *t, size_t sep, size_t at, struct span *ret);
/* A token or key: random enough. */
bool secret_at(const struct text *t, size_t at, struct span *ret);
bool session_at(const struct text *t, size_t at, struct span *ret);
bool aws_secret_at(const struct text *t, size_t at, struct span *ret);
bool azure_storage_at(const struct text *t, size_t at, struct span *ret);

#endif
