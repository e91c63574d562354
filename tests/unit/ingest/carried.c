/* carried.c: messages as logging libraries send them over the network, and what others send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/carried.h"

#define ROW(text, name) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1, name \
	}

static const struct {
	const uint8_t *bytes;
	size_t len;
	const char *name;
} rows[] = {
	ROW("<165>1 2026-03-01T12:00:07Z host app 7 ID47 - paid", "syslog"),
	ROW("<13>Mar  1 12:00:07 host app[7]: paid", "syslog"),
	ROW("52 <165>1 2026-03-01T12:00:07Z host app 7 ID47 - paid", "syslog"),
	ROW("<165>1 - host app 7 ID47 - paid", "syslog"),
	ROW("{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"paid\"}", "gelf"),
	ROW("\x93\xa7"
	    "app.pay\xce\x65\x53\xf1\x00\x81\xa1m\xa1x",
	    "fluent"),
	ROW("\x92\xd9\x07"
	    "app.pay\x91\x92\xd7\x00",
	    "fluent"),
	ROW("<14>card=4111 declined", "syslog"),
	ROW("<11>paid\0", "syslog"),
	ROW("{\"@timestamp\":\"2026-03-01T12:00:07Z\",\"message\":\"paid\"}\n", "json"),
	ROW("{\"time\": 1, \"level\": \"info\", \"msg\": \"paid\"}\n", "json"),
	ROW("PRIORITY=6\nMESSAGE=paid\n", "journal"),
	ROW("MESSAGE=paid\nPRIORITY=6\n", "journal"),
	ROW("CODE_FILE=a.c\nMESSAGE\n\x04\0\0\0\0\0\0\0paid\n", "journal"),
	ROW("<192>paid", NULL),
	ROW("<014>paid", NULL),
	ROW("<14><b>", NULL),
	ROW("{\"message\": \"paid\"}\n", NULL),
	ROW("{\"level\": 3, \"message\": \"paid\"}\n", NULL),
	ROW("MESSAGE=paid\n", NULL),
	ROW("PATH=/bin\nHOME=/\n", NULL),
	ROW("message=a\nMESSAGE=paid\n", NULL),
	ROW("", NULL),
	ROW("<", NULL),
	ROW("<165>", NULL),
	ROW("<html>1 2", NULL),
	ROW("<1>hello there", NULL),
	ROW("52 bottles", NULL),
	ROW("{\"version\":\"1.1\"}", NULL),
	ROW("GET / HTTP/1.1\r\n", NULL),
	ROW("\x93\xa7"
	    "app pay\xce\x65\x53\xf1\x00\x81\xa1m\xa1x",
	    NULL),
	ROW("\x93\xa7"
	    "app.pay\x01\x65\x53\xf1\x00\x81\xa1m\xa1x",
	    NULL),
	ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", NULL),
};

static void messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *name = carried_by(rows[i].bytes, rows[i].len);
		if (rows[i].name == NULL ? name != NULL : name == NULL || strcmp(name, rows[i].name) != 0)
			fail_msg("row %zu: %s, not %s", i, name ? name : "none", rows[i].name ? rows[i].name : "none");
	}
}

/* Whatever is cut off, nothing behind the end is read: each beginning lies in memory of its own length. */
static void cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t len = 0; len <= rows[i].len; len++) {
			uint8_t *copy = malloc(len > 0 ? len : 1);
			assert_non_null(copy);
			memcpy(copy, rows[i].bytes, len);
			const char *name = carried_by(copy, len);
			assert_true(name == NULL || rows[i].name != NULL);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(cut_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
