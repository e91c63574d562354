/*
 * Advice by library: the innermost known one speaks, unknown stacks get none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detectors/remedies.h"

static const char *advice(const struct frame *frames, size_t n, enum remedy_kind kind)
{
	struct stacks *s = stacks_new();

	assert_non_null(s);
	const char *text = remedy_for(s, stacks_add(s, frames, n), kind); /* static text: outlives the table */
	stacks_free(s);
	return text;
}

static void test_library_before_runtime(void **state)
{
	const struct frame curl[] = {{.module = "libc.so.6"}, {.module = "libcurl.so.4"}, {.module = "python3.11"}};
	const struct frame python[] = {{.module = "libc.so.6"}, {.module = "python3.11"}};
	const struct frame plain[] = {{.module = "libc.so.6"}, {.module = "shop", .function = "charge"}};

	(void)state;
	assert_non_null(strstr(advice(curl, 3, REMEDY_RESPONSE), "CURLOPT_TIMEOUT_MS"));
	assert_non_null(strstr(advice(curl, 3, REMEDY_CONNECT), "CURLOPT_CONNECTTIMEOUT_MS"));
	assert_non_null(strstr(advice(python, 2, REMEDY_RESPONSE), "timeout=(connect, read)"));
	assert_null(advice(plain, 2, REMEDY_RESPONSE));
}

static void test_function_names(void **state)
{
	const struct frame f[] = {{.module = "[jit]", .function = "send", .file = "/usr/lib/python3/requests/adapters.py"}};

	(void)state;
	assert_non_null(strstr(advice(f, 1, REMEDY_RETRY), "HTTPAdapter"));
}

/* A package of Python's speaks for itself, wherever it is installed; a folder of the service's own that has its name does not. */
static void test_packages(void **state)
{
	const struct frame redis[] = {
		{.module = "python3.11/socket.py", .function = "readinto", .file = "/usr/lib/python3.11/socket.py"},
		{.module = "socket.py", .function = "read", .file = "/v/site-packages/redis/_parsers/socket.py"},
		{.module = "python3.11"}};
	const struct frame own[] = {{.module = "app.py", .function = "get", .file = "/srv/redis/app.py"}, {.module = "python3.11"}};

	(void)state;
	assert_non_null(strstr(advice(redis, 3, REMEDY_RESPONSE), "socket_timeout"));
	assert_non_null(strstr(advice(redis, 3, REMEDY_CONNECT), "socket_connect_timeout"));
	assert_null(strstr(advice(own, 2, REMEDY_RESPONSE), "redis-py"));
}

/* A library without advice of a kind leaves the word to its callers. */
static void test_missing_kind(void **state)
{
	const struct frame f[] = {{.module = "wget"}, {.module = "node"}};
	const struct frame mariadb[] = {{.module = "libmariadb.so.3"}};

	(void)state;
	assert_non_null(strstr(advice(f, 2, REMEDY_RETRY), "--tries=3"));
	assert_non_null(strstr(advice(f, 2, REMEDY_CONNECT), "Node.js"));
	assert_null(advice(f, 1, REMEDY_CONNECT));
	assert_non_null(strstr(advice(mariadb, 1, REMEDY_RETRY), "MYSQL_OPT_RECONNECT"));
	assert_null(advice(NULL, 0, REMEDY_RETRY));
}

/* All of Go's connections go through package net: it speaks only where nobody knows better. */
static void test_go(void **state)
{
	const struct frame pgx[] = {{.module = "shop", .function = "net.(*conn).Write", .runtime = true},
				    {.module = "shop", .function = "github.com/jackc/pgx/v5/pgconn.(*PgConn).Exec"},
				    {.module = "shop", .function = "main.pay"}};
	const struct frame http[] = {{.module = "shop", .function = "net.(*conn).Write", .runtime = true},
				     {.module = "shop", .function = "net/http.(*persistConn).writeLoop", .runtime = true}};

	(void)state;
	assert_non_null(strstr(advice(pgx, 3, REMEDY_RESPONSE), "pgx: "));
	assert_non_null(strstr(advice(http, 2, REMEDY_RESPONSE), "http.Client.Timeout"));
	assert_non_null(strstr(advice(pgx, 1, REMEDY_RESPONSE), "SetDeadline"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_library_before_runtime),
		cmocka_unit_test(test_function_names),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_missing_kind),
		cmocka_unit_test(test_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
