/* The dashboard's files are in the program, whole, and ask nobody else. */
#include "sample.h"

static void is_there(void **state)
{
	static const struct {
		const char *path, *type, *begins, *ends;
	} files[] = {{"/", "text/html; charset=utf-8", "<!DOCTYPE html>", "</html>\n"},
		     {"/view.js", "text/javascript; charset=utf-8", "\"use strict\";", "}\n"},
		     {"/app.js", "text/javascript; charset=utf-8", "\"use strict\";", "follow();\n"},
		     {"/app.css", "text/css; charset=utf-8", ":root", "}\n"}};
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct route_answer a = sample_ask(NULL, "GET", files[i].path, NULL, NULL);
		const size_t n = strlen(files[i].ends);

		assert_int_equal(a.status, 200);
		assert_string_equal(a.type, files[i].type);
		assert_int_equal(a.len, strlen(a.text));
		assert_int_equal(strncmp(a.text, files[i].begins, strlen(files[i].begins)), 0);
		assert_string_equal(a.text + a.len - n, files[i].ends);
		for (const char *at = a.text; (at = strstr(at, "://")) != NULL; at++)
			assert_int_equal(strncmp(at, "://www.w3.org/2000/svg", 22), 0); /* a name, not an address */
		assert_null(strstr(a.text, "innerHTML"));
	}
}

TEST_MAIN(cmocka_unit_test(is_there))
