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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
