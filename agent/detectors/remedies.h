/*
 * What to do in the client library or runtime that a call came through, where the stack tells which it is.
 */
#ifndef GAPSCOPE_DETECTORS_REMEDIES_H
#define GAPSCOPE_DETECTORS_REMEDIES_H

#include "core/stacks.h"

enum remedy_kind { REMEDY_CONNECT, REMEDY_RESPONSE, REMEDY_RETRY, REMEDY_KINDS };

/* Advice for the first library or runtime found in the stack, innermost first; NULL if none is known. Static text. */
const char *remedy_for(const struct stacks *s, uint32_t stack, enum remedy_kind kind);

#endif
