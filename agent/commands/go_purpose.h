/*
 * What a timer of a Go program is for, by the function of Go's library that made it: some can never end a caller's wait. Any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_PURPOSE_H
#define GAPSCOPE_COMMANDS_GO_PURPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "ingest/gopclntab.h"

enum go_purpose {
	GO_FOR_ANYTHING, /* not known: it may end a wait */
	GO_FOR_NOTHING,  /* it ends nobody's wait */
	GO_FOR_HEAD,     /* it ends the wait for an answer's head */
};

/* Of the function `name`. */
enum go_purpose go_purpose_named(const char *name);
/* Of the first of the `n` callers, return addresses up to a 0, whose function says it. Code lies `bias` above where the table says. */
enum go_purpose go_purpose_of(const struct gopclntab *t, uint64_t bias, const uint64_t *callers, size_t n);

#endif
