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

INLINE uint64_t sieve_tokens(const uint8_t *first, uint64_t bits)
{
	uint64_t pass = 0;
	for (; bits != 0; bits &= bits - 1) {
		const uint8_t *p = first + __builtin_ctzll(bits);
		uint64_t ok = (unsigned int)vendor_may_begin(p) | (unsigned int)behind_scheme(p);
		pass |= bits & -bits & -ok;
	}
	return pass;
}

INLINE uint64_t sieve_keys(const uint8_t *first, uint64_t bits, uint64_t hopped)
{
	uint64_t pass = 0;
	for (; bits != 0; bits &= bits - 1) {
		uint64_t low = bits & -bits;
		uint64_t ok = keyvalue_ends_four(first + __builtin_ctzll(bits) - ((hopped & low) != 0));
		pass |= low & -ok;
	}
	return pass;
}

INLINE void sieve(const struct text *t, size_t from, struct places *p)
{
	/* what stands at the beginning has nothing to look back at, and goes on to who asks in full */
	uint64_t sure = from == 0 ? (UINT64_C(1) << BEFORE) - 1 : 0;
	for (size_t lane = 0; lane < PLACES_LANES; lane++, from += 64) {
		const uint8_t *first = t->bytes + from;
		uint64_t odd = p->odd[lane] | (p->keys[lane] & sure), passed = p->made[lane] | (p->tokens[lane] & sure);
		p->odd[lane] = odd;
		p->keys[lane] = odd | sieve_keys(first, p->keys[lane] & ~odd, p->hopped[lane]);
		p->tokens[lane] = rules.own_n > 0 ? p->tokens[lane] : passed | sieve_tokens(first, p->tokens[lane] & ~passed);
		sure = 0;
	}
}

void sieve_portable(const struct text *t, size_t from, struct places *p)
{
	sieve(t, from, p);
}

#if defined(__x86_64__)
/* shifts by what is in a register are the slow ones of the old instructions */
__attribute__((target("bmi,bmi2"))) static void sieve_bmi2(const struct text *t, size_t from, struct places *p)
{
	sieve(t, from, p);
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
