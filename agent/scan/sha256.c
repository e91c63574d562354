/*
 * SHA-256 and HMAC-SHA-256 (sha256.h). State lives on the caller's stack and is wiped: it is made of values that must not stay.
 */
#include "scan/sha256.h"

#include <string.h>

struct state {
	uint32_t h[8];
	uint8_t block[64];
	size_t used;
	uint64_t total;
};

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void compress(struct state *s)
{
	uint32_t w[64];
	for (unsigned int i = 0; i < 16; i++) {
		const uint8_t *p = s->block + 4 * i;
		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	}
	for (unsigned int i = 16; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	uint32_t v[8];
	memcpy(v, s->h, sizeof(v));
	for (unsigned int i = 0; i < 64; i++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) +
			      round_constant[i] + w[i];
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned int i = 0; i < 8; i++)
		s->h[i] += v[i];
	explicit_bzero(w, sizeof(w));
}

static void start(struct state *s)
{
	*s = (struct state){
		.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
	};
}

static void update(struct state *s, const uint8_t *data, size_t len)
{
	s->total += len;
	while (len > 0) {
		size_t n = sizeof(s->block) - s->used < len ? sizeof(s->block) - s->used : len;
		memcpy(s->block + s->used, data, n);
		s->used += n;
		data += n;
		len -= n;
		if (s->used == sizeof(s->block)) {
			compress(s);
			s->used = 0;
		}
	}
}

static void finish(struct state *s, uint8_t ret[32])
{
	uint64_t bits = s->total * 8;
	uint8_t pad[72] = {0x80};
	size_t n = (s->used < 56 ? 56 : 120) - s->used;
	for (unsigned int i = 0; i < 8; i++)
		pad[n + i] = (uint8_t)(bits >> (56 - 8 * i));
	update(s, pad, n + 8);
	for (unsigned int i = 0; i < 32; i++)
		ret[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
	explicit_bzero(s, sizeof(*s));
}

void sha256(const uint8_t *data, size_t len, uint8_t ret[32])
{
	struct state s;
	start(&s);
	update(&s, data, len);
	finish(&s, ret);
}

void hmac_sha256(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t ret[32])
{
	uint8_t padded[64] = {0}, inner[32], block[64];
	if (key_len > sizeof(padded))
		sha256(key, key_len, padded);
	else if (key_len > 0)
		memcpy(padded, key, key_len);
	struct state s;
	for (unsigned int i = 0; i < 64; i++)
		block[i] = padded[i] ^ 0x36;
	start(&s);
	update(&s, block, sizeof(block));
	update(&s, data, len);
	finish(&s, inner);
	for (unsigned int i = 0; i < 64; i++)
		block[i] = padded[i] ^ 0x5c;
	start(&s);
	update(&s, block, sizeof(block));
	update(&s, inner, sizeof(inner));
	finish(&s, ret);
	explicit_bzero(padded, sizeof(padded));
	explicit_bzero(block, sizeof(block));
	explicit_bzero(inner, sizeof(inner));
}
