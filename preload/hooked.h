/*
 * The names that are hooked, as GOT slots are looked up by them: which hook a slot of that name is to lead to, and what it leads to before.
 *
 * One table for the process; whoever changes it holds the lock of got.c, or is the only thread that looks (hooked_begin, whose answers are
 * the same for all).
 */
#ifndef GAPSCOPE_PRELOAD_HOOKED_H
#define GAPSCOPE_PRELOAD_HOOKED_H

#include <stdbool.h>
#include <stdint.h>

struct hooked {
	const char *name;
	void *hook;
	void *real; /* what a slot leads to before; NULL: not in this process */
	int patch;  /* enum patch_id, or -1: a function of libc */
	int alloc;  /* enum alloc_id, or -1 */
};

#pragma GCC visibility push(hidden)
/* Fill the table, if it is not. True: functions of libc are reached by their slots, too, because the program was entered, or loaded objects that
 * pass the library by. Takes the loader's locks (dlsym): never inside dl_iterate_phdr. */
bool hooked_begin(void);
/* Objects were loaded that look into their own libraries first (RTLD_DEEPBIND): the next hooked_begin finds libc's functions for their slots. */
void hooked_deepbind(void);
/* Functions of other libraries, and the allocator's, come and go with them: take what patch.c and alloc.c know now. */
void hooked_refresh(void);
/* May this address be a hooked function's? False is certain. */
bool hooked_maybe_real(uintptr_t at);
/* NULL: no such name, or its function is not there. */
const struct hooked *hooked_find(const char *name);
/* Is it one of those by which an allocator takes memory from the kernel? */
bool hooked_is_mapping(const struct hooked *h);
#pragma GCC visibility pop

#endif
