/*
 * Which kind a key is of, by how it is written and by what stands between it and its separator.
 */
#include "scan/find.h"

#include "scan/keys.h"
#include "scan/validators.h"

struct row {
	const char *text; /* its last byte is the separator */
	int before, at;
};

static void kinds(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"password=", KIND_PASSWORD, KIND_PASSWORD},
		{"userPassword:", KIND_PASSWORD, KIND_PASSWORD},
		{"USER_PASSWORD ", KIND_PASSWORD, KIND_PASSWORD},
		{"password2=", -1, KIND_PASSWORD},
		{"password    =", KIND_PASSWORD, KIND_PASSWORD},
		{"var password string=", KIND_PASSWORD, KIND_PASSWORD},
		{"cvv:", KIND_CVV, KIND_CVV},
		{"ssn=", KIND_US_SSN, KIND_US_SSN},
		{"colour=", -1, -1},
		{"=", -1, -1},
	};
	keyvalue_prepare();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct text t = {.bytes = (const uint8_t *)rows[i].text, .len = strlen(rows[i].text)};
		struct keyname name;
		int before = keys_kind_before(&t, t.len - 1, &name), at = keys_kind_at(&t, t.len - 1, &name);
		if (before != rows[i].before || at != rows[i].at)
			fail_msg("\"%s\": %d and %d, not %d and %d", rows[i].text, before, at, rows[i].before, rows[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
