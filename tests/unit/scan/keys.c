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
		{"aadhaar_number=", KIND_IN_AADHAAR, KIND_IN_AADHAAR},
		{"peselNumber:", KIND_PL_PESEL, KIND_PL_PESEL},
		{"card number is ", KIND_CARD, KIND_CARD},
		{"password number=", -1, -1},
		{"order number=", -1, -1},
		{"number=", -1, -1},
		{"the bsn is ", KIND_NL_BSN, KIND_NL_BSN},
		{"pesel_klienta=", KIND_PL_PESEL, KIND_PL_PESEL},
		{"cpfCliente:", KIND_BR_CPF, KIND_BR_CPF},
		{"senha_usuario=", KIND_PASSWORD, KIND_PASSWORD},
		{"senha usuario ", -1, -1},
		{"cliente=", -1, -1},
		{"DBPASSWORD=", KIND_PASSWORD, KIND_PASSWORD},
		{"the dob is ", KIND_BIRTH, KIND_BIRTH},
		{"CONTRASE\xc3\x91\x41=", KIND_PASSWORD, KIND_PASSWORD},
		{"\xce\xba\xcf\x89\xce\xb4\xce\xb9\xce\xba\xcf\x8c\xcf\x82=", KIND_PASSWORD, KIND_PASSWORD},
		{"it is ", -1, -1},
		{"contrase\xc3\xb1\x61=", KIND_PASSWORD, KIND_PASSWORD},
		{"has\xc5\x82o:", KIND_PASSWORD, KIND_PASSWORD},
		{"user_\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c=", KIND_PASSWORD, KIND_PASSWORD},
		{"\xe5\xaf\x86\xe7\xa0\x81:", KIND_PASSWORD, KIND_PASSWORD},
		{"\xe7\x94\xa8\xe6\x88\xb7\xe5\xaf\x86\xe7\xa0\x81=", KIND_PASSWORD, KIND_PASSWORD},
		{"t\xc3\xa9l\xc3\xa9phone=", KIND_PHONE, KIND_PHONE},
		{"password\xe2\x80\x9d:", KIND_PASSWORD, KIND_PASSWORD},
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
