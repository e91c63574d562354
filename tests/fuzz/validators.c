/*
 * Fuzzer of the validators, one by one: each looks at one place of any bytes, reads nothing outside of them, and what it accepts is a span
 * of the text that begins or ends where it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scan/encoding.h"
#include "scan/prefilter.h"
#include "scan/secrets.h"
#include "scan/shapes.h"
#include "scan/validators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const struct text *t, bool holds, const struct span *s)
{
	if (holds && (s->start >= s->end || s->end > t->len))
		abort();
}

static void place(const struct text *t, size_t at)
{
	static bool (*const plain[])(const struct text *t, size_t at, struct span *ret) = {
		us_ssn_at,        phone_at,       phone_national_at, email_at,         email_encoded_at,  url_password_at,
		jwt_at,           pem_at,         public_ip_at,      mac_at,           codice_fiscale_at, cvv_at,
		birth_date_at,    health_code_at, person_name_at,    secret_at,        session_at,        aws_secret_at,
		azure_storage_at, telegram_at,    facebook_app_at,   teams_webhook_at, azure_devops_at,   quoted_secret_at,
		long_number_at,   crypt_hash_at,  option_at,         azure_ad_behind,  google_refresh_at, short_secret_at};
	struct span s;
	enum entity_id entity;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		within(t, plain[i](t, at, &s), &s);
	for (int named = 0; named < 2; named++) {
		within(t, card_at(t, at, named != 0, &s), &s);
		within(t, iban_at(t, at, named != 0, &s), &s);
		within(t, geo_at(t, at, named != 0, &s), &s);
	}
	within(t, vendor_at(t, at, &s, &entity), &s);
	within(t, vendor_behind(t, at, &s, &entity), &s);
	within(t, shape_at(t, at, &s, &entity), &s);
	within(t, netrc_at(t, at, at < t->len / 2 ? at + 9 : at, &s), &s);
	within(t, pgpass_at(t, at, at + 4, &s), &s);
	within(t, at > 0 && password_at(t, at - 1, at, &s), &s);
	for (entity = 0; entity < ENTITY_N; entity++)
		within(t, national_at(t, at, entity, &s), &s);
	(void)vendor_begins(t, at);
	(void)keyvalue_may_end(t, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct matches m;
	if (size < 2 || size > 4096)
		return 0;
	vendor_prepare();
	keyvalue_prepare();
	/* a copy of exactly this size: one byte too far is seen */
	uint8_t *bytes = malloc(size);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	const struct text t = {.bytes = bytes, .len = size};
	for (size_t at = data[0] % 8; at < size; at += 1 + size / 64) {
		place(&t, at);
		m.n = m.done = m.told = 0;
		keyvalue_at(&t, at, &m);
		argument_at(&t, at, &m);
		(void)command_at(&t, at, &m);
		named_token_at(&t, at, &m);
		manifest_at(&t, at, at + 1, &m);
		insert_at(&t, at, at, &m);
		authorization_at(&t, at, &m);
		for (size_t i = 0; i < m.n; i++)
			within(&t, true, &(struct span){m.held[i].start, m.held[i].end});
	}
	(void)is_placeholder(bytes, size);
	(void)is_random(bytes, size);
	if (entropy(bytes, size) > 8.0)
		abort();
	free(bytes);
	return 0;
}
