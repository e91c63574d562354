/*
 * Passwords among protocols' commands, and the sentences that look like them.
 */
#include "scan/find.h"

static void commands(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"AUTH hunter2XyZ9secret", "PASSWORD=hunter2XyZ9secret"},
		{"AUTH default hunter2XyZ9\r\n", "PASSWORD=hunter2XyZ9"},
		{"AUTH justletters\r\n", "PASSWORD=justletters"},
		{"17.1 [0 127.0.0.1:5000] \"AUTH\" \"hunter2\"", "PASSWORD=hunter2"},
		{"17.1 [0 127.0.0.1:5000] \"auth\" \"shop\" \"hunter2\"", "PASSWORD=hunter2"},
		{"17.1 [0 127.0.0.1:5000] \"config\" \"set\" \"requirepass\" \"hunter2\"", "PASSWORD=hunter2"},
		{"*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", "PASSWORD=hunter2"},
		{"*3\r\n$4\r\nAUTH\r\n$4\r\nshop\r\n$7\r\nhunter2\r\n", "PASSWORD=hunter2"},
		{"C: AUTH PLAIN AGpvaG4uZG9lAGh1bnRlcjJYeVo5", "PASSWORD=AGpvaG4uZG9lAGh1bnRlcjJYeVo5"},
		{"smtp sent: AUTH PLAIN AGpvaG4AaHVudGVyMg==", "PASSWORD=AGpvaG4AaHVudGVyMg=="},
		{"PASS hunter2XyZ9\r\n", "PASSWORD=hunter2XyZ9"},
		{"USER john\r\nPASS hunter\r\n", "PASSWORD=hunter"},
		{"ftp> PASS hunter2XyZ9", "PASSWORD=hunter2XyZ9"},
		{"< PASS hunter2XyZ9", "PASSWORD=hunter2XyZ9"},
		{"a1 LOGIN john hunter2XyZ9", "PASSWORD=hunter2XyZ9"},
		{"A001 LOGIN john hunter\r\n", "PASSWORD=hunter"},
		{". login \"john\" \"hunter2XyZ9\"", "PASSWORD=hunter2XyZ9"},
	};
	FIND_ALL(rows);
}

static void sentences(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"AUTH failed", ""},
		{"AUTH enabled for user17", ""},
		{"HTTP AUTH session2 begins", ""},
		{"250-AUTH PLAIN LOGIN CRAM-MD5", ""},
		{"250 AUTH LOGIN PLAIN\r\n", ""},
		{"AUTH PLAIN dGVzdA==", ""},
		{"\"AUTH\" \"\"", ""},
		{"PASS src/cart.test2.js", ""},
		{"PASS test17", ""},
		{"PASS: gcc.dg/vect2", ""},
		{"tests > PASS case", ""},
		{"user17 LOGIN failed", ""},
		{"LOGIN shop secret7x", ""},
		{"*2\r\n$4\r\nAUTH\r\n$700\r\nhunter2\r\n", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(commands), cmocka_unit_test(sentences)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
