/*
 * Cards: issuers, lengths, grouping, and the long numbers that are none.
 */
#include "scan/find.h"

#include "scan/validators.h"

static void cards(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"card=4532015112830366", "CREDIT_CARD=4532015112830366"},
		{"card=5555555555554444", "CREDIT_CARD=5555555555554444"},
		{"card=378282246310005", "CREDIT_CARD=378282246310005"},
		{"paid with 378282246310005 5 times", "CREDIT_CARD=378282246310005"},
		{"paid with 378282246310005\n2026-11-22 paid", "CREDIT_CARD=378282246310005"},
		{"card=3530111333300000", "CREDIT_CARD=3530111333300000"},
		{"card=6011111111111117", "CREDIT_CARD=6011111111111117"},
		{"card=2223003122003222", "CREDIT_CARD=2223003122003222"},
		{"charging 4111 1111 1111 1111 now", "CREDIT_CARD=4111 1111 1111 1111"},
		{"4111-1111-1111-1111", "CREDIT_CARD=4111-1111-1111-1111"},
		{"pan: 3782 822463 10005 exp 12/29", "CREDIT_CARD=3782 822463 10005"},
		{"2024-05-07 4111 1111 1111 1111", "CREDIT_CARD=4111 1111 1111 1111"},
		{"{\"number\":\"4532015112830366\",\"brand\":\"visa\"}", "CREDIT_CARD=4532015112830366"},
		{"paid: 4532015112830366", "CREDIT_CARD=4532015112830366"},
		{"number 4532015112830366", "CREDIT_CARD=4532015112830366"},
		{"customer 4111 1111 1111 1111 declined", "CREDIT_CARD=4111 1111 1111 1111"},
		{"customer card number 4532015112830366", "CREDIT_CARD=4532015112830366"},
		{"card_id=4532015112830366", "CREDIT_CARD=4532015112830366"},
		{"\"cards\":[4532015112830366,5555555555554444]", "CREDIT_CARD=4532015112830366;CREDIT_CARD=5555555555554444"},
		{"[17, 4532015112830366]", "CREDIT_CARD=4532015112830366"},
		{"GET /cards/4532015112830366/auth 200", "CREDIT_CARD=4532015112830366"},
		{"card number 30569309025904", "CREDIT_CARD=30569309025904"},
	};
	FIND_ALL(rows);
}

static void not_cards(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"card=4111 1111 1111 1112", ""},
		{"card=************1111", ""},
		{"x4532015112830366", ""},
		{"4532015112830366x", ""},
		{"4532015112830366.5", ""},
		{"-4532015112830366", ""},
		{"order_id=4532015112830366", ""},
		{"\"orderId\":4532015112830366", ""},
		{"span_id=4532015112830366", ""},
		{"txn 4532015112830366 committed", ""},
		{"merchantReference=4532015112830366", ""},
		{"eth0: 4532015112830366 2931653689 0 0 7709889365160810 177531397", ""},
		{"seconds_bucket{le=\"0.9\"} 4532015112830366", ""},
		{"eth0: 8103009947980408 2931653689 0 0 4532015112830366 709685235", ""},
		{"blk_4532015112830366", ""},
		{"id 30569309025904", ""},
		{"41111 111 1111 1111", ""},
		{"4111-1111 1111-1111", ""},
		{"0000 0000 0000 0000", ""},
		{"ts=1758486093322702", ""},
		{"1111 4111 1111 1111 1111 1111", ""},
		{"45320151128303664532015112830366", ""},
		{"\"ids\": [1532015112830366, 4532015112830366]", ""},
		{"[4532015112830366, 4532015112830367]", ""},
		{"[4532015112830367,4532015112830366]", ""},
		{"GET /orders/4532015112830366/items 200", ""},
		{"job 4532015112830366 done", ""},
		{"shardid=4532015112830366", ""},
		{"{\"jobNo\":4532015112830366}", ""},
		{"tracking number: 4532015112830366", ""},
		{"customer 4532015112830366 signed in", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards),
		cmocka_unit_test(not_cards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
