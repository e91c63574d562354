/*
 * Vendors' keys without a prefix, put together here so that no file of the tree holds the shape of a key; GitHub's checksum.
 */
#include "scan/find.h"

#include "scan/shapes.h"

static char *letters(char *out, size_t n, const char *set, uint32_t seed)
{
	uint32_t random = seed * 7919 + 12345;
	for (size_t i = 0; i < n; i++) {
		random = random * 1664525 + 1013904223;
		out[i] = set[(random >> 16) % strlen(set)];
	}
	out[n] = 0;
	return out;
}

static const char alnum[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", hex[] = "0123456789abcdef";

static void expect(const char *before, const char *key, const char *after, const char *entity)
{
	char text[512], want[512];
	(void)snprintf(text, sizeof(text), "%s%s%s", before, key, after);
	(void)snprintf(want, sizeof(want), "%s%s%s", entity, *entity != 0 ? "=" : "", *entity != 0 ? key : "");
	if (strcmp(found(text), want) != 0)
		fail_msg("\"%s\": found \"%s\", not \"%s\"", text, found(text), want);
}

static void shapes(void **state)
{
	(void)state;
	char a[96], b[96], key[320];
	(void)snprintf(key, sizeof(key), "708462%s:A%s", "93", letters(a, 34, alnum, 1));
	expect("bot ", key, " up", "TELEGRAM_TOKEN");
	expect("bot ", key, "x", "");
	(void)snprintf(key, sizeof(key), "%s-us%s", letters(a, 32, hex, 2), "12");
	expect("with ", key, "", "MAILCHIMP_KEY");
	expect("with x", key, "", "");
	(void)snprintf(key, sizeof(key), "%s-1f0c2b7e-8d9a4c5b", letters(a, 32, hex, 2));
	expect("with ", key, "", "MAILGUN_KEY");
	(void)snprintf(key, sizeof(key), "4%sJQQJ9%s", letters(a, 51, alnum, 9), letters(b, 27, alnum, 10));
	expect("(", key, ")", "API_KEY");
	(void)snprintf(key, sizeof(key), "%s_%s_mmk", letters(a, 6, alnum, 3), letters(b, 29, alnum, 4));
	expect("with ", key, ".", "MAXMIND_KEY");
	(void)snprintf(key, sizeof(key), "%s.atlasv1.%s", letters(a, 14, alnum, 5), letters(b, 64, alnum, 6));
	expect("with ", key, "", "TERRAFORM_TOKEN");
	(void)snprintf(key, sizeof(key), "%s.atlasv1.%s", letters(a, 14, alnum, 5), letters(b, 30, alnum, 6));
	expect("with ", key, "", "");
	(void)snprintf(key, sizeof(key), "13087427626125%s|%s", "87", letters(a, 27, alnum, 7));
	expect("app ", key, " x", "FACEBOOK_TOKEN");
	(void)snprintf(key, sizeof(key), "aB3%sQ~%s", "8", letters(a, 34, alnum, 8));
	expect("client_secret=", key, "", "AZURE_AD_SECRET");
	expect("it is ", key, " now", "AZURE_AD_SECRET");
	expect("it is x", key, "", "");
	(void)snprintf(key, sizeof(key), "%s:%s", "708462193", letters(a, 35, alnum, 11));
	expect("tgram://", key, "", "TELEGRAM_TOKEN");
	(void)snprintf(key, sizeof(key), "%s:%s", "708462193", letters(a, 36, alnum, 11));
	expect("tgram://", key, "", "");
	(void)snprintf(key, sizeof(key), "%sNR%s", letters(a, 36, hex, 14), "AL");
	expect("license_key: ", key, "", "NEWRELIC_KEY");
	expect("x ", key, ".", "NEWRELIC_KEY");
	expect("x ", key, "2", "");
	(void)snprintf(key, sizeof(key), "1//0%s", letters(a, 60, alnum, 15));
	expect("refresh ", key, "", "GCP_OAUTH_TOKEN");
	expect("refresh 1", key, "", "");
	/* "175928847299117063" in base64; the same with a letter in it */
	(void)snprintf(key, sizeof(key), "%s.%s.%s", "MTc1OTI4ODQ3Mjk5MTE3MDYz", letters(a, 6, alnum, 12),
		       letters(b, 38, alnum, 13));
	expect("login with ", key, "", "DISCORD_BOT_TOKEN");
	(void)snprintf(key, sizeof(key), "%s.%s.%s", "MTc1OTI4ODQ3Mjk5MTE3MGFi", letters(a, 6, alnum, 12),
		       letters(b, 38, alnum, 13));
	expect("login with ", key, "", "");
	(void)snprintf(key, sizeof(key), "2/1203456789012345/1209876543210987:%s", letters(a, 32, hex, 16));
	expect("with ", key, ".", "ASANA_TOKEN");
	(void)snprintf(key, sizeof(key), "1/1203456789012345:%s", letters(a, 32, hex, 16));
	expect("with ", key, "", "ASANA_TOKEN");
	expect("with ", key, "f", "");
	expect("/b/3", key, "", "");
	(void)snprintf(key, sizeof(key), "access_token$production$%s$%s", letters(b, 16, alnum, 17), letters(a, 32, hex, 18));
	expect("using ", key, " now", "BRAINTREE_KEY");
	expect("using ", key, "0", "");
	(void)snprintf(
		key, sizeof(key),
		"acme.webhook.office.com/webhookb2/2f92c502-7feb-4a6c-86f1-477271ae576f@990414fa-d0a3-42f5-b740-21d865a44a28/"
		"IncomingWebhook/%s/3c8c2b1a-7d1e-4f0a-9c55-0a8d7e6f5b4c",
		letters(a, 32, hex, 9));
	expect("POST https://", key, " 200", "TEAMS_WEBHOOK");
}

static void checksum(void **state)
{
	(void)state;
	/* computed with zlib */
	char body[37] = "000000000000000000000000000000";
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned int right = 0;
	memcpy(body + 30, "2C8GjS", 7);
	assert_true(github_checksum_holds((const uint8_t *)body));
	for (size_t i = 0; digits[i] != 0; i++) {
		body[35] = digits[i];
		right += github_checksum_holds((const uint8_t *)body);
	}
	assert_int_equal(right, 1);
	/* one that looks like a mask is one all the same when its checksum holds */
	memcpy(body + 30, "2C8GjS", 7);
	char key[64];
	(void)snprintf(key, sizeof(key), "gh%s%s", "p_", body);
	expect("with ", key, "", "GITHUB_TOKEN");
	key[39] = key[39] == 'a' ? 'b' : 'a';
	expect("with ", key, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
