/*
 * The GOT slots of all loaded objects: they lead to the hooks while a session lasts, where the loader did not lead them there.
 *
 * Slots are changed by one atomic store each, so that any other thread calls either the real function or the hook. Any thread; the loader's
 * locks are taken, so never from inside dl_iterate_phdr.
 */
#ifndef GAPSCOPE_PRELOAD_GOT_H
#define GAPSCOPE_PRELOAD_GOT_H

#include <stdint.h>

#pragma GCC visibility push(hidden)
/* Point the slots of what is loaded now to the hooks; how many are new. Also after each dlopen, on the thread that called it. */
uint32_t got_patch(void);
/* All of them back to what they led to; how many. */
uint32_t got_restore(void);
#pragma GCC visibility pop

#endif
