/*
 * Kubernetes Secrets: the values under `data`, in YAML and JSON, and nothing else of them.
 */
#include "scan/find.h"

static void secrets(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ndata:\n  db: aHVudGVyMi1hY21l\n  user: "
		 "Ym9iYnktYWNtZQ==\ntype: Opaque\n",
		 "API_KEY=aHVudGVyMi1hY21l;API_KEY=Ym9iYnktYWNtZQ=="},
		{"apiVersion: v1\ndata:\n  extra: \"YWRtaW46aHVudGVyMg==\"\nkind: Secret\n", "API_KEY=YWRtaW46aHVudGVyMg=="},
		{"{\"data\":{\"db\":\"aHVudGVyMi1hY21l\"},\"kind\":\"Secret\",\"type\":\"Opaque\"}", "API_KEY=aHVudGVyMi1hY21l"},
		{"kind: ConfigMap\ndata:\n  db: aHVudGVyMi1hY21l\n", ""},
		{"kind: SecretList\nitems: []\ndata:\n  db: aHVudGVyMi1hY21l\n", ""},
		{"kind: Secret\nmetadata:\n  name: aHVudGVyMi1hY21l\n", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(secrets)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
