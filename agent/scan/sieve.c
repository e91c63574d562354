/*
 * The cheap questions at each place (sieve.h). All places of four words are asked in one loop, and an answer is a bit, not a branch: words
 * and separators come as they like, so a branch would be guessed wrongly every other time.
 */
#include "scan/sieve.h"

#include "scan/prefilter.h"
#include "scan/rules.h"

#define INLINE __attribute__((always_inline)) static inline

/* How far a look behind a place reaches. */
#define BEFORE 5U

/* "Bearer " or "Basic " before p? Its last letters, in either case, say yes. */
INLINE bool behind_scheme(const uint8_t *p)
{
	static const uint8_t rer[] = "rer ", sic[] = "sic ";
	uint32_t low = four_folded(p - 4);
	return (unsigned int)(low == four_at(rer)) | (unsigned int)(low == four_at(sic));
}

INLINE uint64_t sieve_tokens(const uint8_t *bytes, size_t from, uint64_t bits)
{
	uint64_t pass = 0;
	for (; bits != 0; bits &= bits - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(bits);
		const uint8_t *p = bytes + (from + at);
		uint64_t ok = (unsigned int)vendor_may_begin(p) | (unsigned int)behind_scheme(p);
		pass |= ok << at;
	}
	return pass;
}

INLINE uint64_t sieve_keys(const uint8_t *bytes, size_t from, uint64_t bits, uint64_t hopped)
{
	uint64_t pass = 0;
	for (; bits != 0; bits &= bits - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(bits);
		uint64_t ok = keyvalue_ends_four(bytes + (from + at - (hopped >> at & 1)));
		pass |= ok << at;
	}
	return pass;
}

INLINE unsigned int sieve(const struct text *t, size_t from, size_t lanes, struct places *p)
{
	/* what stands at the beginning has nothing to look back at */
	uint64_t sure = from == 0 ? (UINT64_C(1) << BEFORE) - 1 : 0, first = p->tokens[0] & sure;
	unsigned int left = p->rest | (first != 0);
	p->odd[0] |= p->keys[0] & sure;
	left |= p->odd[0] != 0;
	p->keys[0] &= ~sure;
	p->tokens[0] &= ~sure;
	for (size_t lane = 0; lane < lanes; lane++, from += 64) {
		uint64_t keys = p->keys[lane], tokens = p->tokens[lane];
		if (keys != 0) {
			p->keys[lane] = keys = sieve_keys(t->bytes, from, keys, p->hopped[lane]);
			if (keys != 0)
				left |= 1U << lane;
		}
		if (tokens != 0) {
			if (rules.own_n == 0)
				p->tokens[lane] = tokens = sieve_tokens(t->bytes, from, tokens);
			if (tokens != 0)
				left |= 1U << lane;
		}
	}
	p->tokens[0] |= first;
	return left;
}

unsigned int sieve_portable(const struct text *t, size_t from, size_t lanes, struct places *p)
{
	return sieve(t, from, lanes, p);
}

#if defined(__x86_64__)
/* shifts by what is in a register are the slow ones of the old instructions */
__attribute__((target("bmi,bmi2"))) static unsigned int sieve_bmi2(const struct text *t, size_t from, size_t lanes,
								   struct places *p)
{
	return sieve(t, from, lanes, p);
}

sieve_fn sieve_finder(void)
{
	return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") ? sieve_bmi2 : sieve_portable;
}
#else
sieve_fn sieve_finder(void)
{
	return sieve_portable;
}
#endif
