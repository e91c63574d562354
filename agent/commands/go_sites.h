/*
 * Where probes may stand in a Go program: the functions of its library that deadlines and plaintext of TLS go through, found by name in the
 * table that every Go program carries, stripped or not. Reads the file only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_GO_SITES_H
#define GAPSCOPE_COMMANDS_GO_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/probe.h"
#include "ingest/gopclntab.h"

struct go_site {
	enum probe_go_what what;
	uint64_t offset; /* in the file */
};

#define GO_SITES_MAX 64U

/*
 * Where a function that begins with these bytes may be stopped: behind the check of its stack, at the instruction that saves the frame pointer,
 * which the kernel does itself instead of putting it elsewhere and stepping. There the arguments are still in their registers. Its offset, or
 * -1 for any other beginning.
 */
int go_site_safe(const uint8_t *code, size_t len);
/*
 * Of a function that is probed when it returns, too, each return is a place: Go moves stacks, so that a probe that replaces the return address
 * would crash the program. The program's table of frames says where they are; if one is no plain return, that function has no place at all.
 *
 * The functions of the program at `path` with the table `t` that are there and safe. How many.
 */
size_t go_sites_find(const char *path, const struct gopclntab *t, struct go_site ret[GO_SITES_MAX]);
/* Do these places see every timer and deadline that the program sets? Not if a function that it has, for that, is without a place. */
bool go_sites_whole(const struct gopclntab *t, const struct go_site *sites, size_t n);

#endif
