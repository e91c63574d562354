/*
 * Allocations for scripts (script.h): what a shim that samples every `mean` bytes would say. Header-only.
 */
#ifndef GAPSCOPE_TESTS_UNIT_MODEL_HEAP_SCRIPT_H
#define GAPSCOPE_TESTS_UNIT_MODEL_HEAP_SCRIPT_H

#include "model/script.h"

#define HEAP_MEAN UINT64_C(524288)

SCRIPT_API void heap_state(struct script *s, int64_t state)
{
	static const char path[] = "/lib/libc.so.6";

	script_event(s, (struct event){.id = WIRE_ALLOC_STATE,
				       .fd = -1,
				       .ret = state,
				       .a0 = HEAP_MEAN,
				       .data = (const uint8_t *)path,
				       .data_len = sizeof(path) - 1});
}

SCRIPT_API void heap_alloc_how(struct script *s, uint64_t address, uint64_t size, uint64_t asked, struct wire_alloc how)
{
	script_event(s, (struct event){.id = WIRE_ALLOC,
				       .fd = -1,
				       .ret = (int64_t)asked,
				       .a0 = address,
				       .a1 = size,
				       .data = (const uint8_t *)&how,
				       .data_len = sizeof(how)});
}

SCRIPT_API void heap_alloc(struct script *s, uint64_t address, uint64_t size, uint64_t asked)
{
	heap_alloc_how(s, address, size, asked, (struct wire_alloc){.mean = HEAP_MEAN});
}

SCRIPT_API void heap_map(struct script *s, uint64_t address, uint64_t size)
{
	heap_alloc_how(s, address, size, 0, (struct wire_alloc){.kind = WIRE_ALLOC_MAP});
}

SCRIPT_API void heap_free(struct script *s, uint64_t address)
{
	script_event(s, (struct event){.id = WIRE_FREE, .fd = -1, .a0 = address});
}

SCRIPT_API void heap_unmap(struct script *s, uint64_t address, uint64_t size)
{
	script_event(s, (struct event){.id = WIRE_UNMAP, .fd = -1, .a0 = address, .a1 = size});
}

#endif
