/*
 * Vendors' keys: for each row of vendors.def a value made here is found whole, and none that is too short or masked.
 */
#include "scan/make_value.h"

#include "scan/find.h"

#include "scan/alphabet.h"
#include "scan/prefilter.h"
#include "scan/validators.h"

#define ROWS (sizeof(rows) / sizeof(*rows))

static const struct {
	const char *prefix;
	enum entity_id entity;
	enum alphabet alphabet;
	size_t min, max;
} rows[] = {
#define VENDOR(entity, prefix, alphabet, min, max) {prefix, ENTITY_##entity, alphabet, min, max},
#include "scan/vendors.def"
#undef VENDOR
};

/* A random-looking body: letters and digits that every alphabet of the row has. */
static size_t make(size_t row, size_t n, char *out)
{
	size_t prefix = strlen(rows[row].prefix);
	memcpy(out, rows[row].prefix, prefix);
	make_value(rows[row].alphabet, n, (uint32_t)row, out + prefix);
	char *body = out + prefix;
	if (rows[row].entity == ENTITY_SENDGRID_KEY)
		body[22] = '.';
	if (rows[row].entity == ENTITY_AIRTABLE_TOKEN)
		body[14] = '.';
	if (rows[row].entity == ENTITY_INFISICAL_TOKEN || rows[row].entity == ENTITY_VOICEFLOW_KEY)
		body[24] = '.';
	if (rows[row].entity == ENTITY_DYNATRACE_TOKEN && n > 65)
		body[n - 65] = '.';
	if (rows[row].entity == ENTITY_ZOHO_TOKEN)
		body[32] = '.';
	if (rows[row].entity == ENTITY_RESEND_KEY)
		body[8] = '_';
	if (rows[row].entity == ENTITY_COCKROACH_KEY)
		body[22] = '_';
	if (rows[row].entity == ENTITY_AKAMAI_TOKEN)
		body[16] = '-';
	if (rows[row].entity == ENTITY_CLOSECRM_KEY)
		body[n / 2] = '.';
	if (rows[row].entity == ENTITY_CLICKUP_TOKEN && n > 33) {
		memset(body, '7', n - 33);
		body[n - 33] = '_';
	}
	if (rows[row].entity == ENTITY_LAUNCHDARKLY_KEY)
		body[8] = body[13] = body[18] = body[23] = '-';
	if (rows[row].entity == ENTITY_SLACK_TOKEN)
		put_at(body + n - 4, "7395");
	if (rows[row].entity == ENTITY_AUTHRESS_KEY)
		put_at(body + 9, ".acc_");
	if (rows[row].entity == ENTITY_FIREBASE_KEY)
		put_at(body + 7, ":APA91b");
	if (rows[row].entity == ENTITY_SALESFORCE_TOKEN)
		body[12] = '!';
	out[prefix + n] = 0;
	return prefix + n;
}

static size_t length_of(size_t row)
{
	return rows[row].entity == ENTITY_SENDGRID_KEY ? 66 : rows[row].min;
}

static void every_row(void **state)
{
	(void)state;
	size_t kinds = 0;
	for (size_t row = 0; row < ROWS; row++) {
		char key[2048], text[2200];
		struct span span = {0};
		enum entity_id entity = ENTITY_N;
		size_t n = make(row, length_of(row), key);
		(void)snprintf(text, sizeof(text), "got %s!", key);
		struct text t = {.bytes = (const uint8_t *)text, .len = strlen(text)};
		vendor_prepare();
		if (!vendor_may_begin(t.bytes + 4) || !vendor_at(&t, 4, &span, &entity))
			fail_msg("row %s of %s is not found", rows[row].prefix, entity_table[rows[row].entity].name);
		assert_int_equal(entity, rows[row].entity);
		assert_int_equal(span.start, 4);
		assert_int_equal(span.end, 4 + n);
		/* part of a longer word */
		assert_false(vendor_at(&(struct text){.bytes = (const uint8_t *)"x", .len = 1}, 0, &span, &entity));
		kinds += row == 0 || rows[row].entity != rows[row - 1].entity;
		/* one short of what the row asks for: no key of this row */
		(void)make(row, rows[row].min - 1, key);
		(void)snprintf(text, sizeof(text), "got %s!", key);
		t.len = strlen(text);
		if (vendor_at(&t, 4, &span, &entity) && entity == rows[row].entity && rows[row].min == rows[row].max)
			fail_msg("row %s of %s is found although short", rows[row].prefix, entity_table[rows[row].entity].name);
		/* a mask of the right length */
		memset(key + strlen(rows[row].prefix), 'x', rows[row].min);
		key[strlen(rows[row].prefix) + rows[row].min] = 0;
		(void)snprintf(text, sizeof(text), "got %s!", key);
		t.len = strlen(text);
		assert_false(vendor_at(&t, 4, &span, &entity));
	}
	assert_true(kinds >= 60);
}

static void in_text(void **state)
{
	(void)state;
	/* put together here, so that no file of the tree holds the shape of a key */
	char key[128], text[256], want[256];
	size_t row = 0;
	while (rows[row].entity != ENTITY_GITHUB_TOKEN)
		row++;
	(void)make(row, rows[row].min, key);
	(void)snprintf(want, sizeof(want), "GITHUB_TOKEN=%s", key);
	static const char *const around[] = {"key=%s",     "\"apiKey\":\"%s\"",         "curl -H 'X-Api-Key: %s'",
					     "token %s.",  "https://x:%s@github.com/a", "%s",
					     "password=%s"};
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), around[i], key);
#pragma GCC diagnostic pop
		if (i == 4)
			continue;
		assert_string_equal(found(text), want);
	}
	(void)snprintf(text, sizeof(text), "x%s", key);
	assert_string_equal(found(text), "");
	(void)snprintf(text, sizeof(text), "%sx", key);
	assert_string_equal(found(text), "");
	/* a file's name; no number in a Slack token */
	assert_string_equal(found("GET /img/box.ico-7a388b69018576d24b59331fd60aab0c.png"), "");
	assert_string_equal(found("xoxb-"
				  "my-bot-token-goes-into-this-place"),
			    "");
	assert_string_equal(found("docs: AKIAIOSFODNN7"
				  "EXAMPLE"),
			    "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(in_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
