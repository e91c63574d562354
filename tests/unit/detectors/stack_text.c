/*
 * stack_text.c: the traces of seven runtimes as text, JSON and HTML; and texts that look a little like one.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "detectors/stack_text.h"

static const struct {
	const char *language, *text;
} traces[] = {
	{"Java",
	 "java.lang.IllegalStateException: boom\n\tat com.shop.Orders.pay(Orders.java:41)\n\tat com.shop.Main.main(Main.java:9)\n"},
	{"Java", "{\"trace\":\"java.lang.NullPointerException\\n\\tat a.B.c(B.java:1)\\r\\n\\tat a.B.d(B.java:2)\"}"},
	{"Java", "<pre>\tat shop.Pay$.run(Pay.scala:7)\n\tat shop.App.main(App.kt:3)</pre>"},
	{"Python", "Traceback (most recent call last):\n  File \"/srv/app.py\", line 12, in pay\n    charge()\nValueError: no\n"},
	{"Python", "<pre>Traceback (most recent call last):\n  File &quot;/srv/app.py&quot;, line 12, in pay\n</pre>"},
	{"Python", "{\"error\":\"Traceback (most recent call last):\\n  File \\\"/srv/app.py\\\", line 3, in <module>\\n\"}"},
	{"Go", "panic: boom\n\ngoroutine 17 [running]:\nmain.pay(...)\n\t/srv/main.go:31 +0x1d\n"},
	{"JavaScript", "TypeError: x is undefined\n    at pay (/srv/app.js:10:15)\n"},
	{"JavaScript",
	 "<pre>Error: boom<br> &nbsp; &nbsp;at pay (/srv/app.js:10:15)<br> &nbsp; &nbsp;at next (/srv/r.js:137:13)</pre>"},
	{"JavaScript", "{\"stack\":\"Error: boom\\n    at /srv/dist/app.mjs:1:22\"}"},
	{"PHP",
	 "PHP Fatal error:  Uncaught Exception: boom in /srv/x.php:3\nStack trace:\n#0 {main}\n  thrown in /srv/x.php on line 3"},
	{"PHP", "#0 /srv/shop.php(12): pay()\n#1 {main}"},
	{"PHP", "{\"trace\":[{\"file\":\"\\/srv\\/a.php\",\"line\":7},{\"file\":\"\\/srv\\/b.php\",\"line\":9}]}"},
	{"Ruby", "app.rb:3:in `pay': boom (RuntimeError)\n\tfrom app.rb:7:in `<main>'\n"},
	{"Ruby", "/srv/app.rb:3:in 'Shop#pay': boom (RuntimeError)"},
	{".NET", "System.InvalidOperationException: boom\n   at Shop.Orders.Pay(Int32 id) in /src/Orders.cs:line 12\n"},
	{".NET",
	 "System.InvalidOperationException: boom\n   at Shop.Orders.Pay(Int32 id)\n   at Shop.Program.Main(String[] args)\n"},
};

static const char *const others[] = {
	"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 16:30:07 GMT\r\nContent-Length: 2\r\n\r\nok",
	"{\"id\":17,\"at\":\"2026-11-21T16:30:07Z\",\"items\":[{\"sku\":\"a\",\"n\":1}],\"total\":12.5}",
	"Error: the order was not found",
	"{\"error\":\"ValidationException: the field name is missing\"}",
	"Meet us at the.shop (open 9:30 to 18:00). Error: none.",
	"import x from './app.js:1'; // see app.js:10 and main.go:12",
	"main.go:12: listening\nmain.go:14: ready",
	"To read a traceback, start at its last line.",
	"Traceback (most recent call last): is how Python begins one.",
	"<a href=\"/docs/Orders.java\">Orders.java:12</a>",
	"see config.php?x=1:2 and http://host.php:8080/",
	"Stack trace: none",
	"goroutine pools: a guide",
	"style.css:12:in the middle",
	"MIIB: at a.b, at c.d",
};

static void traces_of_every_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		struct stack_text s = {0};

		stack_text_add(&s, (const uint8_t *)traces[i].text, strlen(traces[i].text));
		const char *language = stack_text_language(&s);
		if (!language || strcmp(language, traces[i].language) != 0)
			print_message("%s taken for %s: %s\n", traces[i].language, language ? language : "nothing", traces[i].text);
		assert_non_null(language);
		assert_string_equal(language, traces[i].language);
	}
}

static void other_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct stack_text s = {0};

		stack_text_add(&s, (const uint8_t *)others[i], strlen(others[i]));
		if (stack_text_language(&s))
			print_message("taken for %s: %s\n", stack_text_language(&s), others[i]);
		assert_null(stack_text_language(&s));
	}
}

/* Cut anywhere, a text is never read beyond its end, and no negative becomes one. */
static void pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const size_t len = strlen(others[i]);

		for (size_t cut = 0; cut <= len; cut++) {
			struct stack_text s = {0};
			char first[256], second[256];

			memcpy(first, others[i], cut);
			memcpy(second, others[i] + cut, len - cut);
			stack_text_add(&s, (const uint8_t *)first, cut);
			stack_text_add(&s, (const uint8_t *)second, len - cut);
			assert_null(stack_text_language(&s));
		}
	}
}

TEST_MAIN(cmocka_unit_test(traces_of_every_language), cmocka_unit_test(other_texts), cmocka_unit_test(pieces))
