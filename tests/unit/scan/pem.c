/*
 * Private keys in PEM: one match from BEGIN to END, however the lines are divided.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void keys(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"loaded "
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END RSA "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END RSA "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "RSA "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "RSA "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END RSA "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN RSA "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END RSA "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN RSA "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END RSA "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN RSA "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END RSA "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END EC "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END EC "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "EC "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "EC "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END EC "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN EC "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END EC "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN EC "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END EC "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN EC "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END EC "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "OPENSSH "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "OPENSSH "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "OPENSSH "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "OPENSSH "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END OPENSSH "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN OPENSSH "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END OPENSSH "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN OPENSSH "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END OPENSSH "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN OPENSSH "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END OPENSSH "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "ENCRYPTED "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIBADANBgkqhkiG==\n-----END "
		 "ENCRYPTED "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "ENCRYPTED "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\nMIIEvQIBADANBgkqhkiG==\\n-----END "
		 "ENCRYPTED "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END ENCRYPTED "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE "
		 "KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\nMIIEvQIBADANBgkqhkiG==\r\n-----"
		 "END ENCRYPTED "
		 "PRIVATE KEY-----"},
		{"loaded "
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END ENCRYPTED "
		 "PRIVATE KEY-----"
		 " done",
		 "PRIVATE_KEY="
		 "-----BEGIN ENCRYPTED "
		 "PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj MIIEvQIBADANBgkqhkiG== "
		 "-----END ENCRYPTED "
		 "PRIVATE KEY-----"},
	};
	FIND_ALL(rows);
}

static void cut_off(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"-----BEGIN "
		 "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
		 "PRIVATE_KEY=-----BEGIN "
		 "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"},
	};
	FIND_ALL(rows);
}

static void none(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END "
		 "CERTIFICATE-----",
		 ""},
		{"-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PUBLIC "
		 "KEY-----",
		 ""},
		{"-----BEGIN "
		 "PRIVATE KEY-----",
		 ""},
		{"-----BEGIN "
		 "PRIVATE KEY-----\n-----END "
		 "PRIVATE KEY-----",
		 ""},
		{"-----BEGIN CERTIFICATE REQUEST-----", ""},
	};
	FIND_ALL(rows);
}

#define LINE "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

/* Lines of a log with a key in them, each behind a time or a builder's number. */
static void behind_prefixes(void **state)
{
	(void)state;
	static const char *const prefixes[] = {"#6 0.245 ", "2026-04-26T12:36:01Z INFO [main] ", "web_1  | ", "  *  ", "[app] > "};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		char text[1024];
		const char *p = prefixes[i];
		(void)snprintf(text, sizeof(text),
			       "%s-----BEGIN "
			       "RSA PRIVATE KEY-----\n%s" LINE "\n%s" LINE "\n%s" LINE "\n%s-----END "
			       "RSA PRIVATE KEY-----\n%sdone at once",
			       p, p, p, p, p, p);
		char want[1100];
		const char *end = strstr(text, "-----END ");
		(void)snprintf(want, sizeof(want), "PRIVATE_KEY=%.*s", (int)(end + 29 - text - (long)strlen(p)), text + strlen(p));
		assert_string_equal(found(text), want);
	}
	/* prose about keys has no body */
	assert_string_equal(found("found -----BEGIN "
				  "PRIVATE KEY----- [without a body], and -----END "
				  "PRIVATE KEY----- in it"),
			    "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behind_prefixes),
		cmocka_unit_test(keys),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
