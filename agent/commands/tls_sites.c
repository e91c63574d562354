/* See tls_sites.h. */
#include "commands/tls_sites.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "attach/loaded.h"
#include "ingest/returns.h"

static const struct {
	const char *function;
	enum tls_probe what;
} wanted[] = {
	{"SSL_read", TLS_PROBE_READ},
	{"SSL_write", TLS_PROBE_WRITE},
	{"SSL_read_ex", TLS_PROBE_READ_EX},
	{"SSL_write_ex", TLS_PROBE_WRITE_EX},
};

#define RANDOM_MIN 64U
#define RANDOM_MAX 8192U
#define RANDOM_ALIGNED 4U
/* An operand of the kind N(%register) with 32 bits of N, as the byte in front of N says it. */
#define MODRM_MOD 0xc0
#define MODRM_RM 0x07
#define MODRM_FAR 0x80 /* of MODRM_MOD */
#define MODRM_INDEX 4  /* of MODRM_RM: another byte follows */

static uint32_t distance_at(const uint8_t *code, size_t i)
{
	uint32_t n;

	if ((code[i] & MODRM_MOD) != MODRM_FAR || (code[i] & MODRM_RM) == MODRM_INDEX)
		return 0;
	memcpy(&n, code + i + 1, sizeof(n));
	return n >= RANDOM_MIN && n < RANDOM_MAX && n % RANDOM_ALIGNED == 0 ? n : 0;
}

uint32_t tls_random_at(const uint8_t *code, size_t len)
{
	uint32_t best = 0;
	size_t most = 1; /* once may be anything */

	for (size_t i = 0; i + sizeof(uint32_t) < len; i++) {
		const uint32_t n = distance_at(code, i);
		size_t times = 0;

		for (size_t k = i; n != 0 && k + sizeof(uint32_t) < len; k++)
			times += distance_at(code, k) == n;
		if (times > most) {
			most = times;
			best = n;
		}
	}
	return best;
}

static uint32_t random_of(struct returns *r)
{
	struct returns_function f;
	const uint8_t *code = returns_find(r, "SSL_get_client_random", &f) == 0 ? returns_code(r, &f) : NULL;

	return code != NULL ? tls_random_at(code, f.size) : 0;
}

/* The places of one function; all of them, or none. How many. */
static size_t places(const char *path, const struct returns_function *f, uint64_t cookie, struct tls_site *ret, size_t max)
{
	if (f->n + 1 > max || loaded_offset(path, f->entry, &ret[0].offset) < 0)
		return 0;
	ret[0].cookie = cookie;
	for (size_t i = 0; i < f->n; i++) {
		if (loaded_offset(path, f->at[i], &ret[i + 1].offset) < 0)
			return 0;
		ret[i + 1].cookie = cookie | TLS_PROBE_DONE;
	}
	return f->n + 1;
}

int tls_sites_find(const char *path, struct tls_site ret[TLS_SITES_MAX], const char **ret_why)
{
	struct returns_function f;
	struct returns *r;
	uint64_t random;
	size_t n = 0;
	bool unsafe = false;

	if (returns_open(path, &r) < 0)
		return 0;
	random = (uint64_t)random_of(r) << TLS_PROBE_RANDOM_SHIFT;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const int e = returns_of(r, wanted[i].function, &f);

		unsafe |= e == -ENOTSUP;
		if (e == 0)
			n += places(path, &f, random | (uint64_t)wanted[i].what, ret + n, TLS_SITES_MAX - n);
	}
	if (n > 0 && n < TLS_SITES_MAX && returns_find(r, "SSL_free", &f) == 0 && loaded_offset(path, f.entry, &ret[n].offset) == 0)
		ret[n++].cookie = TLS_PROBE_FREE;
	returns_close(r);
	if (n > 0 || !unsafe)
		return (int)n;
	*ret_why = "where the functions of the OpenSSL inside of it return is not told by its table for unwinding";
	return -ENOTSUP;
}
