/*
 * C++'s operators new and delete of allocators that have their own (tcmalloc, jemalloc, mimalloc): those of the language's library call malloc
 * and free, and are seen there. Any thread of the watched process. An exception of `new` passes through these frames: nothing is held then.
 */
#include "preload/alloc.h"

#define NEW(name, parameters, arguments) ALLOC_GIVES(name, parameters, arguments, size)

NEW(_Znwm, (size_t size), (size))
NEW(_Znam, (size_t size), (size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag), (size, alignment, tag))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag), (size, alignment, tag))

ALLOC_TAKES(_ZdlPv, (void *block), (block))
ALLOC_TAKES(_ZdaPv, (void *block), (block))
ALLOC_TAKES(_ZdlPvm, (void *block, size_t size), (block, size))
ALLOC_TAKES(_ZdaPvm, (void *block, size_t size), (block, size))
ALLOC_TAKES(_ZdlPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))
ALLOC_TAKES(_ZdaPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))
ALLOC_TAKES(_ZdlPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))
ALLOC_TAKES(_ZdaPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))
ALLOC_TAKES(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment), (block, size, alignment))
ALLOC_TAKES(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment), (block, size, alignment))
