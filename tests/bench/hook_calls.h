/*
 * The calls that hook_cost.c measures, each in the ways that it compares. See hook_calls.c.
 */
#ifndef GAPSCOPE_TESTS_BENCH_HOOK_CALLS_H
#define GAPSCOPE_TESTS_BENCH_HOOK_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* Which functions a measured call goes to. */
struct functions;
extern const struct functions *const hooked; /* what a program's own call reaches: the hook, when it is watched */
extern const struct functions *const bare;   /* libc's */
extern const struct functions *const least;  /* libc's write between two clock reads and a 64-byte record: nothing else filled in */

struct family {
	const char *text;
	void (*before)(void); /* before a batch, not measured; or NULL */
	void (*call)(const struct functions *f);
	void (*after)(void);
	unsigned int records; /* that one call publishes, at most */
};
extern const struct family families[];
extern const size_t families_count;
#define FAMILY_WRITE 0 /* its index */

/* Make the descriptors, find libc's functions; exits with a message if it cannot. `policy` is this process's, of the session. */
void calls_prepare(_Atomic uint8_t *policy);
#define CALLS_BATCH 64

#endif
