/*
 * Places worth a look (places.h). Vectors of four words in the compiler's own notation: it makes AVX-512, AVX2, SSE2 or NEON of them.
 */
#include "scan/places.h"

#include <string.h>

/* the vectors never cross a call that is not inlined */
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

typedef uint64_t quad __attribute__((vector_size(32)));

#define BEHIND(now, before) BEHIND_BY(now, before, 1)

#define LOAD(name, map) \
	quad name, name##_next, name##_last; \
	memcpy(&name, &c->map[first], sizeof(quad)); \
	memcpy(&name##_next, &c->map[first + 1], sizeof(quad)); \
	memcpy(&name##_last, &c->map[first - 1], sizeof(quad))

#define STORE(map, value) \
	do { \
		quad stored_ = (value); \
		memcpy(ret->map, &stored_, sizeof(stored_)); \
	} while (0)

#define FIND_NAME find_portable
#define FIND_TARGET
#include "scan/places_find.h"

void places_find_portable(const struct classes *c, size_t first, struct places *ret)
{
	find_portable(c, first, ret);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define FIND_NAME find_avx2
#define FIND_TARGET __attribute__((target("avx2")))
#include "scan/places_find.h"

#define FIND_NAME find_avx512
#define FIND_TARGET __attribute__((target("avx512f,avx512vl,avx512bw")))
#include "scan/places_find.h"

#define FIND_NAME find_vbmi2
#define FIND_TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512vbmi2")))
#define FIND_JOINED
#include "scan/places_find.h"

places_fn places_finder(void)
{
	if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
		return __builtin_cpu_supports("avx512vbmi2") ? find_vbmi2 : find_avx512;
	return __builtin_cpu_supports("avx2") ? find_avx2 : find_portable;
}
#else
places_fn places_finder(void)
{
	return find_portable;
}
#endif
