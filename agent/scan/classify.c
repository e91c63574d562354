/*
 * Byte classes as bit maps (classify.h). Whole 64-byte blocks straight from the text; the tail through a zeroed block of our own, so
 * nothing past the end is read.
 */
#include "scan/classify.h"

#include <string.h>

enum bit {
	B_DIGIT,
	B_UPPER,
	B_LOWER,
	B_UNDERSCORE,
	B_DOT,
	B_DASH,
	B_SPACE,
	B_EQUALS,
	B_COLON,
	B_AT,
	B_PLUS,
	B_QUOTE,
	B_COMMA,
	B_OPEN,
	B_ESCAPE
};

/* Class of each byte: 1 + bit number, 0 for none. */
static const uint8_t class_of[256] = {
	['0' ... '9'] = 1 + B_DIGIT,
	['A' ... 'Z'] = 1 + B_UPPER,
	['a' ... 'z'] = 1 + B_LOWER,
	['_'] = 1 + B_UNDERSCORE,
	['.'] = 1 + B_DOT,
	['-'] = 1 + B_DASH,
	[' '] = 1 + B_SPACE,
	['='] = 1 + B_EQUALS,
	['>'] = 1 + B_EQUALS,
	[':'] = 1 + B_COLON,
	['@'] = 1 + B_AT,
	['+'] = 1 + B_PLUS,
	['\''] = 1 + B_QUOTE,
	['"'] = 1 + B_QUOTE,
	[','] = 1 + B_COMMA,
	['('] = 1 + B_OPEN,
	['%'] = 1 + B_ESCAPE,
	['&'] = 1 + B_ESCAPE,
	['\\'] = 1 + B_ESCAPE,
	['\t'] = 1 + B_ESCAPE,
	[0x1b] = 1 + B_ESCAPE,
	[0xef] = 1 + B_ESCAPE,
};

static void block_portable(const uint8_t *p, struct classes *c, size_t w)
{
	uint64_t maps[1 + B_ESCAPE + 1] = {0};
	for (unsigned int i = 0; i < 64; i++)
		maps[class_of[p[i]]] |= UINT64_C(1) << i;
	c->digit[w] = maps[1 + B_DIGIT];
	c->upper[w] = maps[1 + B_UPPER];
	c->lower[w] = maps[1 + B_LOWER];
	c->underscore[w] = maps[1 + B_UNDERSCORE];
	c->dot[w] = maps[1 + B_DOT];
	c->dash[w] = maps[1 + B_DASH];
	c->space[w] = maps[1 + B_SPACE];
	c->equals[w] = maps[1 + B_EQUALS];
	c->colon[w] = maps[1 + B_COLON];
	c->at[w] = maps[1 + B_AT];
	c->plus[w] = maps[1 + B_PLUS];
	c->quote[w] = maps[1 + B_QUOTE];
	c->comma[w] = maps[1 + B_COMMA];
	c->open[w] = maps[1 + B_OPEN];
	c->escape[w] = maps[1 + B_ESCAPE];
}

static void classify_portable(const uint8_t *bytes, size_t len, struct classes *ret)
{
	size_t w = 1;
	for (; len >= 64; bytes += 64, len -= 64)
		block_portable(bytes, ret, w++);
	if (len > 0) {
		uint8_t tail[64] = {0};
		memcpy(tail, bytes, len);
		block_portable(tail, ret, w++);
	}
	classes_end(ret, w);
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Of each low half of a byte the one sign of the class `escape` that has it. No byte is 1 where there is none: that has another half. */
static const uint8_t escape_by_half[16] = {1, 0, 1, 1, 1, '%', '&', 1, 1, '\t', 1, 0x1b, '\\', 1, 1, 0xef};

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

AVX2_INLINE uint64_t join(__m256i low, __m256i high)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2_INLINE uint64_t equal(__m256i a, __m256i b, char c)
{
	__m256i v = _mm256_set1_epi8(c);
	return join(_mm256_cmpeq_epi8(a, v), _mm256_cmpeq_epi8(b, v));
}

/* Bytes from `first` on, `count` of them: shifted so that they are the smallest signed values. */
AVX2_INLINE __m256i between(__m256i v, char first, char count)
{
	__m256i shifted = _mm256_add_epi8(v, _mm256_set1_epi8((char)(-128 - first)));
	return _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(-128 + count)), shifted);
}

AVX2_INLINE __m256i escapes(__m256i v)
{
	__m256i half = _mm256_and_si256(v, _mm256_set1_epi8(0x0f));
	__m256i signs = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)escape_by_half));
	return _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(signs, half));
}

AVX2_INLINE void block_avx2(const uint8_t *p, struct classes *c, size_t w)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(p + 32));
	__m256i fold = _mm256_set1_epi8(0x20);
	uint64_t alpha = join(between(_mm256_or_si256(a, fold), 'a', 26), between(_mm256_or_si256(b, fold), 'a', 26));
	uint64_t small = join(_mm256_slli_epi16(a, 2), _mm256_slli_epi16(b, 2)); /* bit 5 tells the case of a letter */
	c->digit[w] = join(between(a, '0', 10), between(b, '0', 10));
	c->upper[w] = alpha & ~small;
	c->lower[w] = alpha & small;
	c->underscore[w] = equal(a, b, '_');
	c->dot[w] = equal(a, b, '.');
	c->dash[w] = equal(a, b, '-');
	c->space[w] = equal(a, b, ' ');
	c->equals[w] = equal(a, b, '=') | equal(a, b, '>');
	c->colon[w] = equal(a, b, ':');
	c->at[w] = equal(a, b, '@');
	c->plus[w] = equal(a, b, '+');
	c->quote[w] = equal(a, b, '\'') | equal(a, b, '"');
	c->comma[w] = equal(a, b, ',');
	c->open[w] = equal(a, b, '(');
	c->escape[w] = join(escapes(a), escapes(b));
}

AVX2 static void classify_avx2(const uint8_t *bytes, size_t len, struct classes *ret)
{
	size_t w = 1;
	for (; len >= 64; bytes += 64, len -= 64)
		block_avx2(bytes, ret, w++);
	if (len > 0) {
		uint8_t tail[64] = {0};
		memcpy(tail, bytes, len);
		block_avx2(tail, ret, w++);
	}
	classes_end(ret, w);
}

#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define AVX512_INLINE __attribute__((target("avx512f,avx512bw"), always_inline)) static inline

AVX512_INLINE uint64_t equal_512(__m512i v, char c)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

AVX512_INLINE void block_avx512(__m512i v, struct classes *c, size_t w)
{
	__m512i fold = _mm512_set1_epi8(0x20);
	__m512i letter = _mm512_sub_epi8(_mm512_or_si512(v, fold), _mm512_set1_epi8('a'));
	uint64_t alpha = _mm512_cmplt_epu8_mask(letter, _mm512_set1_epi8(26));
	uint64_t small = _mm512_test_epi8_mask(v, fold);
	c->digit[w] = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8('0')), _mm512_set1_epi8(10));
	c->upper[w] = alpha & ~small;
	c->lower[w] = alpha & small;
	c->underscore[w] = equal_512(v, '_');
	c->dot[w] = equal_512(v, '.');
	c->dash[w] = equal_512(v, '-');
	c->space[w] = equal_512(v, ' ');
	c->equals[w] = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8('=')), _mm512_set1_epi8(2));
	c->colon[w] = equal_512(v, ':');
	c->at[w] = equal_512(v, '@');
	c->plus[w] = equal_512(v, '+');
	c->quote[w] = equal_512(v, '\'') | equal_512(v, '"');
	c->comma[w] = equal_512(v, ',');
	c->open[w] = equal_512(v, '(');
	/* the low halves of these signs differ: each finds the one sign that it may be of */
	__m512i half = _mm512_and_si512(v, _mm512_set1_epi8(0x0f));
	__m512i sign = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)escape_by_half)), half);
	c->escape[w] = _mm512_cmpeq_epi8_mask(v, sign);
}

AVX512 static void classify_avx512(const uint8_t *bytes, size_t len, struct classes *ret)
{
	size_t w = 1;
	for (; len >= 64; bytes += 64, len -= 64)
		block_avx512(_mm512_loadu_si512((const void *)bytes), ret, w++);
	/* bytes that the mask leaves out are not read */
	if (len > 0)
		block_avx512(_mm512_maskz_loadu_epi8((UINT64_C(1) << len) - 1, bytes), ret, w++);
	classes_end(ret, w);
}

bool classify_with(enum classify_way way, const uint8_t *bytes, size_t len, struct classes *ret)
{
	if (way == CLASSIFY_AVX512 && __builtin_cpu_supports("avx512bw"))
		classify_avx512(bytes, len, ret);
	else if (way == CLASSIFY_AVX2 && __builtin_cpu_supports("avx2"))
		classify_avx2(bytes, len, ret);
	else if (way == CLASSIFY_PORTABLE)
		classify_portable(bytes, len, ret);
	else
		return false;
	return true;
}

void classify(const uint8_t *bytes, size_t len, struct classes *ret)
{
	if (__builtin_cpu_supports("avx512bw"))
		classify_avx512(bytes, len, ret);
	else if (__builtin_cpu_supports("avx2"))
		classify_avx2(bytes, len, ret);
	else
		classify_portable(bytes, len, ret);
}
#else
bool classify_with(enum classify_way way, const uint8_t *bytes, size_t len, struct classes *ret)
{
	if (way != CLASSIFY_PORTABLE)
		return false;
	classify_portable(bytes, len, ret);
	return true;
}

void classify(const uint8_t *bytes, size_t len, struct classes *ret)
{
	classify_portable(bytes, len, ret);
}
#endif
