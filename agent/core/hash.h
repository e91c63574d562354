/*
 * uthash with our settings: include this instead of <uthash.h>. An allocation that fails leaves the item out of the table instead of
 * ending the process (HASH_NONFATAL_OOM); the caller sees that a look-up finds nothing.
 */
#ifndef GAPSCOPE_CORE_HASH_H
#define GAPSCOPE_CORE_HASH_H

#define HASH_NONFATAL_OOM 1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <uthash.h>
#pragma GCC diagnostic pop

#endif
