/*
 * The open end: what may be the beginning of a value is named, what is not is left alone.
 */
#include "scan/find.h"

static void expect(const char *text, const char *open)
{
	static const uint8_t key[16] = "0123456789abcde";
	struct scanner *s = scanner_new(key);
	size_t len = strlen(text), at = scan_open_end(s, (const uint8_t *)text, len);
	scanner_free(s);
	if (at > len || strcmp(text + at, open) != 0)
		fail_msg("\"%s\": open from %zu, not \"%s\"", text, at, open);
}

static void open_ends(void **state)
{
	(void)state;
	expect("mail to agyfk0w0nryj", "agyfk0w0nryj");
	expect("GET /?password=hun", "hun");
	expect("x=1&password=h", "h");
	expect("Authorization: Bearer q7Zk3L", "q7Zk3L");
	expect("\"api_key\": \"9f8", "9f8");
	expect("card 4556 7375 86", "4556 7375 86");
	expect("card=455673758689", "455673758689");
	expect("token eyJhbGciOiJIUzI1", "eyJhbGciOiJIUzI1");
	expect("with gh"
	       "p_16C7e42F",
	       "gh"
	       "p_16C7e42F");
}

static void closed_ends(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
					    "GET /index.html HTTP/1.1\r\nHo",
					    "GET /ind",
					    "GET /assets/v2/1f5c93aa",
					    "Content-Length: 123456789",
					    "Content-Le",
					    "password=hunter2 ",
					    "HTTP/1.1 20",
					    "{\"id\":1234",
					    "hello"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect(texts[i], "");
}

static void long_texts(void **state)
{
	(void)state;
	char text[2048];
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 8)
		text[i] = ' ';
	memcpy(text + 2030, " password=hunter7", 18);
	expect(text, "hunter7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_ends),
		cmocka_unit_test(closed_ends),
		cmocka_unit_test(long_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
