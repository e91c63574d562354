/* RESP values: what is kept of them, and how large they are. */
#include "test.h"

#include "model/script.h"
#include "protocols/resp.h"

static struct resp_value seen;
static unsigned int n_seen;

static void on_value(struct resp *r, const struct resp_value *v)
{
	(void)r;
	seen = *v;
	n_seen++;
}

static struct counters counters;
static struct talk talk = {.counters = &counters};

static void values(void **state)
{
	static const struct {
		const char *text;
		char type;
		unsigned int words;
		const char *first;
	} rows[] = {
		{"+OK\r\n", '+', 1, "OK"},
		{"$5\r\nhello\r\n", '$', 1, "hello"},
		{"$-1\r\n", '$', 1, ""},
		{"*-1\r\n", '*', 0, ""},
		{"*0\r\n", '*', 0, ""},
		{"*2\r\n*1\r\n:1\r\n$0\r\n\r\n", '*', 2, "1"},
		{"%1\r\n+a\r\n*2\r\n_\r\n#f\r\n", '%', 3, "a"},
		{"=6\r\ntxt:ab\r\n", '=', 1, "txt:ab"},
		{"-ERR bad thing\r\n", '-', 1, "ERR?bad?thing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct resp r = {.t = &talk, .value = on_value};
		n_seen = 0;
		resp_feed(&r, (const uint8_t *)rows[i].text, strlen(rows[i].text), 0);
		assert_int_equal(n_seen, 1);
		assert_int_equal(seen.type, rows[i].type);
		assert_int_equal(seen.words, rows[i].words);
		assert_string_equal(seen.word[0], rows[i].first);
		assert_int_equal(seen.size, strlen(rows[i].text));
	}
}

static void inline_commands_and_noise(void **state)
{
	struct resp r = {.t = &talk, .client = true, .value = on_value};

	(void)state;
	n_seen = 0;
	resp_feed(&r, (const uint8_t *)"PING\r\nset  a b\n", 15, 0);
	assert_int_equal(n_seen, 2);
	assert_true(seen.type == ' ' && seen.words == 3);
	assert_string_equal(seen.word[0], "set");
	resp_feed(&r, (const uint8_t *)"\x01\x02", 2, 0);
	assert_true(r.lost);
	assert_int_equal(counters.protocol_resync, 1);
	resp_feed(&r, (const uint8_t *)"*1\r\n$4\r\nPING\r\n", 14, 0);
	assert_int_equal(n_seen, 3);
}

TEST_MAIN(cmocka_unit_test(values), cmocka_unit_test(inline_commands_and_noise))
