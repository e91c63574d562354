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

static inline unsigned int lanes_portable(const quad *x)
{
	unsigned int lanes = 0;
	for (unsigned int lane = 0; lane < PLACES_LANES; lane++)
		lanes |= (unsigned int)((*x)[lane] != 0) << lane;
	return lanes;
}

#define ANY(x) (lanes_portable(&(x)) != 0)
#define LANES(x) lanes_portable(&(x))
#define FIND_NAME find_portable
#define FIND_TARGET
#include "scan/places_find.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"), always_inline)) static inline unsigned int lanes_avx2(const quad *x)
{
	__m256i none = _mm256_cmpeq_epi64((__m256i)*x, _mm256_setzero_si256());
	return (unsigned int)_mm256_movemask_pd(_mm256_castsi256_pd(none)) ^ 15U;
}

#define ANY(x) (!_mm256_testz_si256((__m256i)(x), (__m256i)(x)))
#define LANES(x) lanes_avx2(&(x))
#define FIND_NAME find_avx2
#define FIND_TARGET __attribute__((target("avx2")))
#include "scan/places_find.h"

#define ANY(x) (!_mm256_testz_si256((__m256i)(x), (__m256i)(x)))
#define LANES(x) lanes_avx2(&(x))
#define FIND_NAME find_avx512
#define FIND_TARGET __attribute__((target("avx2,avx512f,avx512vl,avx512bw")))
#include "scan/places_find.h"

#define ANY(x) (!_mm256_testz_si256((__m256i)(x), (__m256i)(x)))
#define LANES(x) lanes_avx2(&(x))
#define FIND_NAME find_vbmi2
#define FIND_TARGET __attribute__((target("avx2,avx512f,avx512vl,avx512bw,avx512vbmi2")))
#define FIND_JOINED
#include "scan/places_find.h"

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

bool places_way(unsigned int i, places_fn *ret)
{
	const places_fn ways[] = {has_avx512() && __builtin_cpu_supports("avx512vbmi2") ? find_vbmi2 : NULL,
				  has_avx512() ? find_avx512 : NULL, __builtin_cpu_supports("avx2") ? find_avx2 : NULL,
				  find_portable};
	if (i < sizeof(ways) / sizeof(*ways))
		*ret = ways[i];
	return i < sizeof(ways) / sizeof(*ways);
}
#else
bool places_way(unsigned int i, places_fn *ret)
{
	*ret = i == 0 ? find_portable : NULL;
	return i == 0;
}
#endif

places_fn places_finder(void)
{
	places_fn fn = NULL;
	for (unsigned int i = 0; fn == NULL && places_way(i, &fn); i++)
		;
	return fn;
}
