/* What of a URL may leave the agent. */
#include "sample.h"

#include "report/url.h"

static void query_values_never_leave(void **state)
{
	(void)state;
	char buf[128];
	assert_string_equal(url_query("a=1&b=two&c=", buf, sizeof buf), "a=REDACTED&b=REDACTED&c=REDACTED");
	assert_string_equal(url_query("token", buf, sizeof buf), "REDACTED");
	assert_string_equal(url_query("a=b=c;d=e", buf, sizeof buf), "a=REDACTED;d=REDACTED");
	assert_string_equal(url_query("", buf, sizeof buf), "");
	assert_string_equal(url_query("&&a=1&", buf, sizeof buf), "&&a=REDACTED&");
	char small[8];
	assert_string_equal(url_query("abc=secret&d=secret", small, sizeof small), "abc=RED");
}

static void full_urls(void **state)
{
	(void)state;
	char buf[128];
	assert_string_equal(url_full("http", "h:80", "/p", "", buf, sizeof buf), "http://h:80/p");
	assert_string_equal(url_full("https", "h", "/p", "", buf, sizeof buf), "https://h/p");
	assert_string_equal(url_full("http", "h", "/p", "k=v", buf, sizeof buf), "http://h/p?k=REDACTED");
	assert_string_equal(url_full("http", "proxy", "http://u:p@h:81/p/q", "", buf, sizeof buf), "http://h:81/p/q");
	assert_string_equal(url_full("http", "proxy", "http://u:p@ss@h", "", buf, sizeof buf), "http://h/");
	/* a path with an @ has no user info */
	assert_string_equal(url_full("http", "h", "/a@b://c", "", buf, sizeof buf), "http://h/a@b://c");
	char small[12];
	assert_string_equal(url_full("http", "host", "/path", "a=secret", small, sizeof small), "http://host");
}

static void paths(void **state)
{
	(void)state;
	assert_string_equal(url_path("/a/b"), "/a/b");
	assert_string_equal(url_path("http://h/a"), "/a");
	assert_string_equal(url_path("http://h"), "/");
	assert_string_equal(url_path("*"), "*");
}

static void hosts(void **state)
{
	(void)state;
	static const struct {
		const char *in, *host;
		unsigned int port;
	} cases[] = {
		{"payments:443", "payments", 443},
		{"payments", "payments", 0},
		{"[::1]:80", "::1", 80},
		{"[::1]", "::1", 0},
		{"::1", "::1", 0},
		{"u:p@h:1", "h", 1},
		{"h:", "h", 0},
		{"h:99999", "h", 0},
		{"[::1", "::1", 0},
		{"unix:/run/x", "unix", 0},
		{"", "", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char buf[64];
		unsigned int port = 7;
		assert_string_equal(url_host(cases[i].in, buf, sizeof buf, &port), cases[i].host);
		assert_int_equal(port, cases[i].port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(query_values_never_leave), cmocka_unit_test(full_urls),
					   cmocka_unit_test(paths), cmocka_unit_test(hosts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
