/* tls_sites.c: what code says of a session, by hand; and this machine's libssl, whose functions are called by name. */
#include "commands/tls_sites.h"

#include <errno.h>
#include <unistd.h>

#include "test.h"

static void where_the_random_bytes_are(void **state)
{
	static const uint8_t twice[] = {
		0x48, 0x8d, 0x8f, 0x60, 0x01, 0, 0, /* lea 0x160(%rdi),%rcx */
		0x48, 0x8b, 0x97, 0x60, 0x01, 0, 0, /* mov 0x160(%rdi),%rdx */
		0x8b, 0xbf, 0x20, 0x02, 0,    0,    /* mov 0x220(%rdi),%edi */
		0xc3,
	};
	static const uint8_t near[] = {0x48, 0x8b, 0x47, 0x30, 0x48,
				       0x8d, 0x70, 0x50, 0xc3}; /* mov 0x30(%rdi),%rax; lea 0x50(%rax),%rsi */

	(void)state;
	assert_int_equal(tls_random_at(twice, sizeof(twice)), 0x160);
	assert_int_equal(tls_random_at(twice, 9), 0); /* once may be anything */
	assert_int_equal(tls_random_at(near, sizeof(near)), 0);
	for (size_t len = 0; len < sizeof(twice); len++)
		assert_true(tls_random_at(twice, len) == 0 || tls_random_at(twice, len) == 0x160);
}

static void programs_without_one(void **state)
{
	struct tls_site sites[TLS_SITES_MAX];
	const char *why = NULL;

	(void)state;
	assert_int_equal(tls_sites_find("/proc/self/exe", sites, &why), 0);
	assert_int_equal(tls_sites_find("/no/such/file", sites, &why), 0);
	assert_null(why);
}

static void the_library_itself(void **state)
{
	static const char libssl[] = "/usr/lib/x86_64-linux-gnu/libssl.so.3";
	struct tls_site sites[TLS_SITES_MAX];
	const char *why = NULL;
	size_t begin[TLS_PROBE_WHAT] = {0}, done[TLS_PROBE_WHAT] = {0};
	int n;

	(void)state;
	if (access(libssl, R_OK) != 0) {
		print_message("there is no %s\n", libssl);
		skip();
	}
	n = tls_sites_find(libssl, sites, &why);
	print_message("%d places%s%s\n", n, why ? ": " : "", why ? why : "");
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		const uint64_t what = sites[i].cookie & TLS_PROBE_WHAT;

		assert_true(what < TLS_PROBE_WHAT);
		*(sites[i].cookie & TLS_PROBE_DONE ? &done[what] : &begin[what]) += 1;
		if (what != TLS_PROBE_FREE)
			assert_true(sites[i].cookie >> TLS_PROBE_RANDOM_SHIFT >= 64);
	}
	for (size_t what = TLS_PROBE_READ; what <= TLS_PROBE_WRITE_EX; what++)
		assert_true(begin[what] <= 1 && (begin[what] == 0) == (done[what] == 0));
	assert_true(begin[TLS_PROBE_READ] == 1 && begin[TLS_PROBE_WRITE] == 1 && begin[TLS_PROBE_FREE] == 1);
}

TEST_MAIN(cmocka_unit_test(where_the_random_bytes_are), cmocka_unit_test(programs_without_one),
	  cmocka_unit_test(the_library_itself))
