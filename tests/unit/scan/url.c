/*
 * Passwords in URLs and connection strings.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void credentials(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"postgres://app:s3cr3tPw@db.internal:5432/x", "URL_CREDENTIALS=s3cr3tPw"},
		{"redis://:Xy7_9qqZ@cache-1:6379/0", "URL_CREDENTIALS=Xy7_9qqZ"},
		{"amqp://u:a@b@mq:5672/vh", "URL_CREDENTIALS=a@b"},
		{"jdbc:mysql://db/x?user=root&password=Summer86$", "URL_CREDENTIALS=Summer86$"},
		{"Server=sql1;Database=x;User Id=sa;Password=Summer98;", "URL_CREDENTIALS=Summer98"},
	};
	FIND_ALL(rows);
}

static void none(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"redis://cache:6379/0", ""},      {"https://host/path?next=/a:b@c", ""}, {"http://localhost:5000/@scope/pkg", ""},
		{"s3://bucket/key@v1", ""},        {"postgres://app:***@db/x", ""},       {"https://user@host/x", ""},
		{"postgres://app:${PW}@db/x", ""}, {"postgres://app:@db/x", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
