/*
 * Accounts of .netrc and .pgpass files, and hashes of passwords.
 */
#include "scan/find.h"

static void account_files(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"machine api.acme.io login ziggy password 0xa9f31bbe", "PASSWORD=0xa9f31bbe"},
		{"machine ci login bot\n  password 7cc938e45e63e90f88f8", "PASSWORD=7cc938e45e63e90f88f8"},
		{"db.internal:5432:shop:app:Vq8sT2mz", "PASSWORD=Vq8sT2mz"},
		{"*:5432:*:app:Vq8s\\:T2mz", "PASSWORD=Vq8s\\:T2mz"},
		/* no account before it, no password in it, another field after it */
		{"forgot password 7cc938e4", ""},
		{"login bob password ********", ""},
		{"listening on 0.0.0.0:5432: ready", ""},
		{"pgbouncer 10.0.0.1:5432:shop:app:stats:17", ""},
	};
	FIND_ALL(rows);
}

static void hashes(void **state)
{
	(void)state;
	static const struct find_row rows[] = {
		{"bob:$2y$10$Q9wN3mT5vX7zB1cD3fG5hOeK8jH6gF4dS2aP0oI9uY7tR5eW3qL1k",
		 "PASSWORD_HASH=$2y$10$Q9wN3mT5vX7zB1cD3fG5hOeK8jH6gF4dS2aP0oI9uY7tR5eW3qL1k"},
		{"hash=$2a$05$/VX.s2dMd8GJKfrXhjYPDkTjOVrY12yDN7/6I8ZV0q/1lEohLru",
		 "PASSWORD_HASH=$2a$05$/VX.s2dMd8GJKfrXhjYPDkTjOVrY12yDN7/6I8ZV0q/1lEohLru"},
		{"eve:$apr1$Zb8kQ2xw$Nf3mT5vX7zB1cD3fG5hO2e", "PASSWORD_HASH=$apr1$Zb8kQ2xw$Nf3mT5vX7zB1cD3fG5hO2e"},
		{"root:$6$rQ2xwZb8$Nf3mT5vX7zB1cD3fG5hO2eK8jH6gF4dS2aP0oI9uY7tR5eW3qL1k5vX7zB1cD3fG5hO2eK8jH6gF4dS2aP0o:19000:",
		 "PASSWORD_HASH=$6$rQ2xwZb8$Nf3mT5vX7zB1cD3fG5hO2eK8jH6gF4dS2aP0oI9uY7tR5eW3qL1k5vX7zB1cD3fG5hO2eK8jH6gF4dS2aP0o"},
		{"price $5$ for com/acme/Thing$1$LambdaFactory20", ""},
		{"at com.acme.Shop$2a$10$handlerOfThings(Shop.java:10)", ""},
	};
	FIND_ALL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_files),
		cmocka_unit_test(hashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
