/* Who may ask. */
#include "serve/admission.h"

#include <unistd.h>

#include "test.h"

static unsigned int status;

static const char *ask(struct admission a, bool open)
{
	return admission_refuses(&a, open, &status);
}

static void loopback_needs_a_name_of_this_machine(void **state)
{
	(void)state;
	assert_null(ask((struct admission){.host = "localhost:9465"}, false));
	assert_null(ask((struct admission){.host = "127.0.0.1"}, false));
	assert_null(ask((struct admission){.host = "[::1]:1"}, false));
	assert_non_null(ask((struct admission){.host = "localhost.evil.example"}, false));
	assert_int_equal(status, 403);
	assert_non_null(ask((struct admission){.host = "127.0.0.10"}, true));
	assert_non_null(ask((struct admission){0}, false));
}

static void other_pages_may_not(void **state)
{
	(void)state;
	assert_null(ask((struct admission){.host = "localhost:1", .origin = "http://localhost:1"}, false));
	assert_non_null(ask((struct admission){.host = "localhost:1", .origin = "http://localhost:2"}, false));
	assert_non_null(ask((struct admission){.host = "localhost:1", .origin = "null"}, true));
}

static void token(void **state)
{
	const struct admission base = {.token = "0123456789abcdef", .host = "gapscope.internal"};
	struct admission a = base;
	(void)state;

	assert_null(ask(a, true));
	assert_non_null(ask(a, false));
	assert_int_equal(status, 401);
	a.authorization = "Bearer 0123456789abcdef";
	assert_null(ask(a, false));
	/* as the password of a URL: "flagger:0123456789abcdef", ":0123456789abcdef" */
	a.authorization = "Basic ZmxhZ2dlcjowMTIzNDU2Nzg5YWJjZGVm";
	assert_null(ask(a, false));
	a.authorization = "Basic OjAxMjM0NTY3ODlhYmNkZWY=";
	assert_null(ask(a, false));
	static const char *const wrong[] = {"Bearer 0123456789abcdeg",
					    "Bearer 0123456789abcde",
					    "Bearer 0123456789abcdef0",
					    "Bearer ",
					    "0123456789abcdef",
					    "Basic 0123456789abcdef",
					    "Basic MDEyMzQ1Njc4OWFiY2RlZg==" /* no user */,
					    "Basic OjAxMjM0NTY3ODlhYmNkZQ==",
					    "Basic ",
					    "Basic Og==",
					    "Basic \x80\xff*:"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		a.authorization = wrong[i];
		assert_non_null(ask(a, false));
		assert_int_equal(status, 401);
	}
}

static void unix_socket_knows_the_user(void **state)
{
	(void)state;
	assert_null(ask((struct admission){.local = true, .uid = geteuid()}, false));
	assert_null(ask((struct admission){.local = true, .uid = 0}, false));
	assert_non_null(ask((struct admission){.local = true, .uid = geteuid() + 1}, false));
	assert_non_null(ask((struct admission){.local = true, .uid = (uid_t)-1}, true));
	assert_int_equal(status, 403);
}

TEST_MAIN(cmocka_unit_test(loopback_needs_a_name_of_this_machine), cmocka_unit_test(other_pages_may_not), cmocka_unit_test(token),
	  cmocka_unit_test(unix_socket_knows_the_user))
