/*
 * SHA-256 and HMAC against the published vectors (FIPS 180-4 examples, RFC 4231).
 */
#include "scan/find.h"

#include "scan/sha256.h"

static void hex(const uint8_t *bytes, char *out)
{
	for (size_t i = 0; i < 32; i++)
		(void)sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void digest_is(const char *text, size_t len, const char *want)
{
	uint8_t digest[32];
	char got[65];
	sha256((const uint8_t *)text, len, digest);
	hex(digest, got);
	assert_string_equal(got, want);
}

static void digests(void **state)
{
	(void)state;
	static char million[1000000];
	memset(million, 'a', sizeof(million));
	digest_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest_is(million, sizeof(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hmacs(void **state)
{
	(void)state;
	uint8_t mac[32], long_key[131];
	char got[65];
	hmac_sha256((const uint8_t *)"Jefe", 4, (const uint8_t *)"what do ya want for nothing?", 28, mac);
	hex(mac, got);
	assert_string_equal(got, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	/* a key longer than the block is hashed first */
	memset(long_key, 0xaa, sizeof(long_key));
	hmac_sha256(long_key, sizeof(long_key), (const uint8_t *)"Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
	hex(mac, got);
	assert_string_equal(got, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(hmacs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
