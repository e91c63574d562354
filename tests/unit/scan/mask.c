/*
 * Masked samples never show what could be used.
 */
#include "scan/find.h"

#include "scan/scan.h"

static const char *mask(const char *entity, const char *value)
{
	static char buf[64];
	scan_mask(entity_find(entity), (const uint8_t *)value, strlen(value), buf, sizeof(buf));
	return buf;
}

static void samples(void **state)
{
	(void)state;
	assert_string_equal(mask("CREDIT_CARD", "4111 1111 1111 1111"), "4111 11•• •••• 1111");
	assert_string_equal(mask("CREDIT_CARD", "4111111111111111"), "411111••••••1111");
	assert_string_equal(mask("EMAIL", "kprice@novak.com"), "k•••@•••.com");
	assert_string_equal(mask("EMAIL", "k@x.io"), "••••@•••.io");
	assert_string_equal(mask("PASSWORD", "hunter2"), "•••••••");
	assert_string_equal(mask("CVV", "123"), "•••");
	assert_string_equal(mask("US_SSN", "536-22-1234"), "•••••••••••");
}

static void every_entity(void **state)
{
	(void)state;
	/* whatever the entity and the length: terminated, within bounds, and at most ten characters of the value */
	char value[300], buf[300];
	for (const struct entity *e = entity_table; e->name != NULL; e++) {
		for (size_t len = 0; len < sizeof(value); len += 7) {
			memset(value, '7', sizeof(value));
			for (size_t size = 0; size <= 64; size += 16) {
				memset(buf, '#', sizeof(buf));
				scan_mask(e, (const uint8_t *)value, len, buf, size);
				if (size == 0) {
					assert_int_equal(buf[0], '#');
					continue;
				}
				size_t shown = 0, n = strnlen(buf, size);
				assert_true(n < size);
				for (size_t i = 0; i < n; i++)
					shown += buf[i] == '7';
				assert_true(shown <= 10);
			}
		}
	}
	uint8_t binary[] = {0, 0xff, '\n', 'x'};
	scan_mask(entity_find("EMAIL"), binary, sizeof(binary), buf, sizeof(buf));
	assert_null(strchr(buf, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples),
		cmocka_unit_test(every_entity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
