/* As much of the bytes as a fault has to know. */
#include "test.h"

#include "prove/sniff.h"

#include <string.h>

static const uint8_t *bytes(const char *text)
{
	return (const uint8_t *)text;
}

static void requests(void **state)
{
	static const char post[] = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab";

	(void)state;
	assert_true(sniff_is_http_request(bytes("GET / HTTP/1.1\r\n"), 16));
	assert_false(sniff_is_http_request(bytes("GET / HTTP/1.1"), 14));
	assert_false(sniff_is_http_request(bytes("*1\r\n$4\r\nPING\r\n"), 14));
	assert_false(sniff_is_http_request(bytes("\x16\x03\x01\x02\n HTTP/1.1"), 15));
	assert_int_equal(sniff_http_head(bytes("GET / HTTP/1.1\r\n\r\nrest"), 22), 18);
	assert_int_equal(sniff_http_head(bytes("GET / HTTP/1.1\r\n\r"), 17), 0);
	assert_false(sniff_http_whole(bytes(post), sizeof(post) - 1));
	assert_true(sniff_http_whole(bytes("POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\nab"), 41));
	assert_true(sniff_http_whole(bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 27));
	assert_false(sniff_http_whole(bytes("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"), 52));
	assert_true(sniff_http_whole(bytes("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), 57));
}

/* Data is known as such however the records are cut. */
static void tls(void **state)
{
	static const uint8_t flight[] = {22, 3, 1, 0, 3, 23, 23, 23, 20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 2, 9, 9};

	(void)state;
	assert_true(sniff_is_tls(flight, sizeof(flight)));
	assert_false(sniff_is_tls(bytes("GET"), 3));
	for (size_t cut = 1; cut < sizeof(flight); cut++) {
		struct sniff_tls s = {0};

		sniff_tls(&s, flight, cut);
		assert_int_equal(s.data, cut > 14);
		sniff_tls(&s, flight + cut, sizeof(flight) - cut);
		assert_true(s.data);
		assert_int_equal(s.skip, 0);
	}
}

TEST_MAIN(cmocka_unit_test(requests), cmocka_unit_test(tls))
