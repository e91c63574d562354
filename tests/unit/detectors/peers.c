/*
 * What is a dependency, and which requests are silent by design.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detectors/peers.h"

static void test_dependencies(void **state)
{
	static const struct {
		enum conn_role role;
		enum conn_kind kind;
		const char *peer;
		bool dependency;
	} rows[] = {
		{CONN_CLIENT, CONN_TCP, "payments:443", true},
		{CONN_CLIENT, CONN_UNIX, "unix:/run/postgresql/.s.PGSQL.5432", true},
		{CONN_CLIENT, CONN_TCP, "", false},
		{CONN_SERVER, CONN_TCP, "10.0.0.1:40000", false},
		{CONN_LISTENER, CONN_TCP, "10.0.0.1:80", false},
		{CONN_UNKNOWN, CONN_TCP, "10.0.0.1:80", false},
		{CONN_CLIENT, CONN_UDP, "10.0.0.1:53", false},
		{CONN_CLIENT, CONN_UNIX, "unix:", false},
		{CONN_CLIENT, CONN_UNIX, "", false},
		{CONN_CLIENT, CONN_UNIX, "unix:/dev/log", false},
		{CONN_CLIENT, CONN_UNIX, "unix:/var/run/nscd/socket", false},
		{CONN_CLIENT, CONN_UNIX, "unix:/run/systemd/journal/socket", false},
		{CONN_CLIENT, CONN_UNIX, "unix:/run/dbus/system_bus_socket", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conn c = {.role = rows[i].role, .kind = rows[i].kind};
		snprintf(c.peer, sizeof c.peer, "%s", rows[i].peer);
		assert_int_equal(peer_is_dependency(&c), rows[i].dependency);
	}
}

static bool waits(const char *text, size_t len)
{
	return peer_waits_by_design((const uint8_t *)text, len);
}
#define WAITS(text) waits(text, sizeof(text) - 1)

static void test_waits_by_design(void **state)
{
	(void)state;
	assert_true(WAITS("*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n"));
	assert_true(WAITS("*2\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n"));
	assert_true(WAITS("*3\r\n$5\r\nBLPOP\r\n$1\r\nq\r\n$1\r\n0\r\n"));
	assert_true(WAITS("Q\0\0\0\x0fLISTEN jobs\0"));
	assert_true(WAITS("P\0\0\0\x14\0listen jobs\0\0\0"));
	assert_true(WAITS("P\0\0\0\x16s1\0LISTEN jobs\0\0\0"));
	assert_true(WAITS("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"));
	assert_false(WAITS("\0\0\0\x10\0\3\0\0user\0me\0"));
	assert_false(WAITS("P\0\0\0\x14LISTEN \0SELECT 1\0"));
	assert_false(WAITS("P\0\0\0\x14listen jobs"));
	assert_false(WAITS("*2\r\n$3\r\nGET\r\n$12\r\nSUBSCRIBERS1\r\n"));
	assert_false(WAITS("GET /SUBSCRIBE HTTP/1.1\r\n\r\n"));
	assert_false(WAITS("Q\0\0\0\x0fSELECT 1\0\0\0"));
	assert_false(WAITS("*"));
	assert_false(peer_waits_by_design(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_dependencies), cmocka_unit_test(test_waits_by_design)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
