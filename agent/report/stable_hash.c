/*
 * Stable hashes: FNV-1a to fold, the finaliser of MurmurHash3 to spread. Pure functions, any thread.
 */
#include "report/stable_hash.h"

#include <stddef.h>

#define FNV_PRIME 0x100000001b3ULL

uint64_t hash_text(uint64_t h, const char *text)
{
	for (const char *c = text != NULL ? text : ""; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * FNV_PRIME;
	return (h ^ 0x1fU) * FNV_PRIME;
}

uint64_t hash_number(uint64_t h, uint64_t n)
{
	for (unsigned int shift = 0; shift < 64; shift += 8)
		h = (h ^ ((n >> shift) & 0xffU)) * FNV_PRIME;
	return h;
}

uint64_t hash_end(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 33;
	return h != 0 ? h : 1;
}
