/*
 * The table of entities: complete, consistent, and of the size that events can carry.
 */
#include "scan/find.h"

#include "core/event.h"
#include "scan/entities.h"

static void table(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct entity *e = entity_table; e->name != NULL; e++, n++) {
		char rule[64];
		int r = snprintf(rule, sizeof(rule), "data.log.%s", e->name);
		for (char *c = rule; *c != 0; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		assert_true(r > 0 && (size_t)r < sizeof(rule));
		assert_string_equal(e->rule, rule);
		assert_true(strlen(e->name) < sizeof(((struct event_match *)0)->entity));
		assert_true(e->severity >= 0 && e->severity <= 3);
		assert_true(strlen(e->title) > 3 && strlen(e->doc) > 10 && strlen(e->remedy) > 10);
		assert_ptr_equal(entity_find(e->name), e);
		assert_true(entity_rank((enum entity_id)n) > 0);
	}
	assert_int_equal(n, ENTITY_N);
	assert_true(n >= 60 + 30);
	assert_null(entity_find("NO_SUCH"));
}

/* A row of the table that nothing can find is a promise that is not kept. Vendors' keys have their row in vendors.def, services theirs in
 * services.def, which vendor.c and services.c test one by one, or are found by shape (shapes.c) or a user's rule (rules.c). */
static void each_can_be_found(void **state)
{
	(void)state;
	static const enum entity_id vendors[] = {
#define VENDOR(entity, prefix, alphabet, min, max) ENTITY_##entity,
#include "scan/vendors.def"
#undef VENDOR
#define SERVICE(name, ...) ENTITY_##name,
#include "scan/services.def"
#undef SERVICE
	};
	static const enum entity_id shapes[] = {ENTITY_TELEGRAM_TOKEN, ENTITY_TERRAFORM_TOKEN, ENTITY_AZURE_AD_SECRET,
						ENTITY_MAILCHIMP_KEY,  ENTITY_MAXMIND_KEY,     ENTITY_TEAMS_WEBHOOK,
						ENTITY_FACEBOOK_TOKEN, ENTITY_CUSTOM_SECRET,   ENTITY_DISCORD_BOT_TOKEN};
	static const char *const samples[] = {
		"-----BEGIN "
		"PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\\n-----END PRIVATE KEY-----",
		"got eyJhbGciOiJIUzI1NiJ9"
		".eyJzdWIiOiI3MzkifQ.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		"postgres://app:Kx7veqWm2@db.acme.io/x",
		"aws_secret_access_key="
		"wJ4lrXUtnFEMIK7MDENGbPxRfiCYzEq2LmNo9Tu1",
		"AccountKey="
		"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
		"Authorization: Basic YWxpY2U6czNjcjN0LXB3", "card 4556737586899855", "iban=DE89370400440532013000",
		"ssn=536-90-4399", "itin=912-78-1234", "cpf=529.982.247-25", "cnpj=11.222.333/0001-81", "sin=130 000 003",
		"nif=12345678Z", "hetu=131052A308T", "nir=255081416802538", "codice_fiscale=RSSMRA85T10A562S", "bsn=111222333",
		"pesel=44051401359", "personnummer=811228-9874", "ric=11010519491231002X", "rrn=9001011234568", "tfn=123 456 782",
		"nino=AB123456C", "nhs number=943 476 5919", "aadhaar=2345 6789 0124", "steuer-id=86095742719",
		"personalausweis=T220001293", "rijksregisternummer=85.07.30-033 28", "cpr=211062-5629", "fnr=01019010046",
		"ahv=756.9217.0769.85", "contribuinte=123456789", "tckn=10000000146", "vin=1M8GDM9AXKP042788",
		"imei=490154203237518", "client_mac=3c:22:fb:9a:10:7e", "password=Kx7veqWm2", "JSESSIONID=3F9A1C77B02D4E58A6",
		"cvv=737", "dob=1984-01-31", "gps=48.85837,2.29448", "diagnosis=E11.9", "first_name=Marie",
		"Authorization: Bearer q7Zk3LmP9xT2vB8nR4", "api_key=9f8Qk2Lm7ZpX4tVb", "mail marie.dupont@acme.io now",
		"call +33612345678", "client_ip=81.169.145.7", "bob:$apr1$Zb8kQ2xw$Nf3mT5vX7zB1cD3fG5hO2e",
		/* in two parts: no file of the tree holds the shape of a key */
		"6RtqHqPc66Y6DYbkydbrrFJTYnRoA7r40ts7LWS2SkINSFsRABxh"
		"JQQJ99BFACAAAAALGcqjAAASAZDO3eqU"};
	bool seen[ENTITY_N] = {false};
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		seen[vendors[i]] = true;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		seen[shapes[i]] = true;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "%.31s", found(samples[i]));
		name[strcspn(name, "=")] = 0;
		if (entity_find(name) == NULL)
			fail_msg("nothing is found in \"%s\"", samples[i]);
		else
			seen[entity_find(name) - entity_table] = true;
	}
	for (size_t i = 0; i < ENTITY_N; i++) {
		if (!seen[i])
			fail_msg("%s cannot be found", entity_table[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(each_can_be_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
