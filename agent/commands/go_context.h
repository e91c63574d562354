/*
 * Contexts of a Go program, as they lay in its memory when a probe copied them: which deadline a chain of them has. Types are known by the name of
 * their first method; whatever is not Go's own ends the knowledge. Pure functions.
 */
#ifndef GAPSCOPE_COMMANDS_GO_CONTEXT_H
#define GAPSCOPE_COMMANDS_GO_CONTEXT_H

#include <stdbool.h>

#include "bpf/probe.h"
#include "ingest/gopclntab.h"

enum go_chain_end { GO_CHAIN_UNKNOWN, GO_CHAIN_NO_DEADLINE, GO_CHAIN_DEADLINE };

/* *ret_due: CLOCK_MONOTONIC, with GO_CHAIN_DEADLINE. `bias`: how much higher than in its file the code lies. */
enum go_chain_end go_chain_deadline(const struct probe_go_chain *c, const struct gopclntab *t, uint64_t bias, uint64_t wall_ns,
				    uint64_t *ret_due);
/* The descriptor of a connection, -1 if it is of an unknown kind. */
int go_conn_fd(const struct probe_go_conn *c, const struct gopclntab *t, uint64_t bias);
/* The name of the function that an address is in, "" if there is none. */
const char *go_function(const struct gopclntab *t, uint64_t bias, uint64_t address);

#endif
