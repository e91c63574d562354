/*
 * The scanner: byte classes of a chunk (classify.c), bit arithmetic on them that finds places worth a look, a validator for each
 * place, and what overlaps is resolved (matches.c). Each place costs a bounded look, so time is linear in the text whatever it holds;
 * memory is the scanner's own. One scanner a thread.
 */
#include "scan/scan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "scan/classify.h"
#include "scan/places.h"
#include "scan/plain.h"
#include "scan/prefilter.h"
#include "scan/rules.h"
#include "scan/secrets.h"
#include "scan/services.h"
#include "scan/sha256.h"
#include "scan/shapes.h"
#include "scan/sieve.h"
#include "scan/validators.h"

#define CHUNK CLASSIFY_BYTES
#define KEY_BYTES 16U
/* A validator may look at most this far back from its place, so a match may begin that much before the chunk. */
#define LOOKBACK 512U
#define BASE64_TEXT_MAX 4096U /* of a text in base64 that are looked at */

_Static_assert(PLAIN_BACK < LOOKBACK, "a match must not begin before what may still be told");

struct scanner {
	uint8_t key[KEY_BYTES];
	struct classes classes;
	bool went_on; /* the text before was longer than a chunk: its last word stands where ours would have one before it */
	places_fn find;
	sieve_fn sieve;
	struct matches matches;
	struct scanner *inner; /* of what is written in another way, once it is written out; NULL in the inner one itself */
	size_t written_upto;   /* this far it was written out */
	size_t decoded_upto;   /* this far base64 was decoded */
};

static struct scanner *with_finders(void)
{
	struct scanner *s = aligned_alloc(_Alignof(struct scanner), sizeof(*s));
	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->find = places_finder();
	s->sieve = sieve_finder();
	return s;
}

struct scanner *scanner_new(const uint8_t *key)
{
	struct scanner *s = with_finders();
	if (s == NULL)
		return NULL;
	vendor_prepare();
	keyvalue_prepare();
	services_prepare();
	s->inner = with_finders();
	if (key != NULL)
		memcpy(s->key, key, KEY_BYTES);
	if (s->inner == NULL || (key == NULL && getrandom(s->key, KEY_BYTES, 0) != KEY_BYTES)) {
		scanner_free(s);
		return NULL;
	}
	return s;
}

void scanner_free(struct scanner *s)
{
	if (s == NULL)
		return;
	scanner_free(s->inner);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

/* A group of digits that a card or a social security number may begin with. */
static void groups_at(const struct text *t, size_t at, struct matches *m)
{
	struct span span;
	if (facebook_app_at(t, at, &span))
		(void)matches_add(m, span.start, span.end, ENTITY_FACEBOOK_TOKEN);
	else if (card_at(t, at, false, &span))
		(void)matches_add(m, span.start, span.end, ENTITY_CREDIT_CARD);
	else if (us_ssn_at(t, at, &span))
		(void)matches_add(m, span.start, span.end, ENTITY_US_SSN);
}

/* Two capitals and two digits: an account's number, or what a key before it says, "NI number CE834984B". */
__attribute__((noinline)) static void capitals_at(const struct text *t, size_t at, struct matches *m)
{
	struct span span;
	if (iban_at(t, at, false, &span))
		(void)matches_add(m, span.start, span.end, ENTITY_IBAN);
	else if (text_at(t, at - 1) == ' ' && keyvalue_may_end(t, at - 1))
		keyvalue_at(t, at - 1, m);
}

/* A token for what stands before it, or for what is in its middle. */
static void made_at(const struct text *t, size_t at, struct matches *m)
{
	struct span span;
	enum entity_id entity = ENTITY_PASSWORD_HASH;
	uint8_t before = text_at(t, at - 1);
	bool found = false;
	if (before == ' ') {
		if (keyvalue_may_end(t, at - 1))
			named_token_at(t, at, m);
	} else if (before == '~' && azure_ad_behind(t, at, &span)) {
		entity = ENTITY_AZURE_AD_SECRET;
		found = true;
	} else if (before == '/' && google_refresh_at(t, at, &span)) {
		entity = ENTITY_GCP_OAUTH_TOKEN;
		found = true;
	} else if (before == '/' || before == '~') {
		found = vendor_behind(t, at, &span, &entity) || crypt_hash_at(t, at, &span);
	} else if (before == '$') {
		found = crypt_hash_at(t, at, &span);
		if (!found && braintree_behind(t, at, &span)) {
			entity = ENTITY_BRAINTREE_KEY;
			found = true;
		}
	}
	if (!found && text_at(t, at + 52) == 'J' && text_at(t, at + 53) == 'Q' && text_at(t, at + 76) != 'A') {
		entity = ENTITY_API_KEY;
		found = azure_marked_at(t, at, &span);
	}
	if (!found && text_at(t, at + 76) == 'A' && text_at(t, at + 77) == 'Z') {
		entity = ENTITY_AZURE_DEVOPS_TOKEN;
		found = azure_devops_at(t, at, &span);
	}
	if (found)
		(void)matches_add(m, span.start, span.end, entity);
}

static size_t scan(struct scanner *s, const uint8_t *bytes, size_t len, scan_fn fn, void *ctx, bool by_rules);

/* What was written in another way and is looked at on its own. */
struct written_out {
	const struct plain *plain; /* NULL for base64, which is one match as a whole */
	struct matches *m;
	const struct entity *strongest;
};

static void told_written(void *ctx, const struct scan_match *match)
{
	struct written_out *w = ctx;
	enum entity_id id = (enum entity_id)(match->entity - entity_table);
	if (w->plain == NULL) {
		if (w->strongest == NULL || match->entity->severity > w->strongest->severity)
			w->strongest = match->entity;
		return;
	}
	const struct plain *p = w->plain;
	size_t last = match->end - 1;
	(void)matches_add(w->m, p->from + p->start[match->start], p->from + p->start[last] + p->width[last], id);
}

static void look_written(struct scanner *s, const struct text *t, size_t i)
{
	struct plain plain;
	struct written_out w = {.plain = &plain, .m = &s->matches};
	if (s->inner == NULL || i < s->written_upto || !plain_may_begin(t, i))
		return;
	plain_line(t, i, &plain);
	(void)scan(s->inner, plain.bytes, plain.n, told_written, &w, s->matches.bytes != NULL);
	plain_wipe(&plain);
	s->written_upto = plain.cut ? plain.end - PLAIN_BACK : plain.end;
}

static bool base64_at(struct scanner *s, const struct text *t, size_t at)
{
	uint8_t text[BASE64_TEXT_MAX];
	struct written_out w = {.m = &s->matches};
	size_t end = at, n = s->inner != NULL && at >= s->decoded_upto ? plain_base64(t, at, text, sizeof(text), &end) : 0;
	if (n == 0)
		return false;
	s->decoded_upto = end;
	(void)scan(s->inner, text, n, told_written, &w, s->matches.bytes != NULL);
	explicit_bzero(text, sizeof(text));
	return w.strongest != NULL && matches_add(w.m, at, end, (enum entity_id)(w.strongest - entity_table));
}

static void token_at(struct scanner *s, const struct text *t, size_t at, bool made)
{
	struct matches *m = &s->matches;
	struct span span;
	enum entity_id entity;
	if (at + 3 <= t->len && t->bytes[at] == 'e' && t->bytes[at + 1] == 'y' && jwt_at(t, at, &span)) {
		(void)matches_add(m, span.start, span.end, ENTITY_JWT);
		return;
	}
	if (at + 4 <= t->len && vendor_may_begin(t->bytes + at) && vendor_at(t, at, &span, &entity)) {
		(void)matches_add(m, span.start, span.end, entity);
		return;
	}
	if (at + 3 <= t->len && base64_may_begin(t->bytes + at) && base64_at(s, t, at))
		return;
	if (rules.own_n > 0 && rules_own_at(t, at, &span)) {
		(void)matches_add(m, span.start, span.end, ENTITY_CUSTOM_SECRET);
		return;
	}
	if (text_at(t, at - 1) == ' ' && at >= 6 && (text_is(t, at - 6, "earer ") || text_is(t, at - 5, "asic ")))
		authorization_at(t, at - (text_is(t, at - 6, "earer ") ? 7 : 6), m);
	else if (made)
		made_at(t, at, m);
}

/* Is i inside a private key or a token that was found just now? What lies there needs no look. */
static bool covered(const struct matches *m, size_t i)
{
	const struct held *last = m->n > 0 ? &m->held[m->n - 1] : NULL;
	return last != NULL && i >= last->start && i < last->end && entity_rank(last->entity) >= 8;
}

/* What looks like key=value inside of a password is part of it. */
static bool in_password(const struct matches *m, size_t i)
{
	const struct held *last = m->n > 0 ? &m->held[m->n - 1] : NULL;
	return last != NULL && i >= last->start && i < last->end && last->entity == ENTITY_PASSWORD;
}

#define EACH(places, i) \
	for (uint64_t left_ = (places); left_ != 0 && ((i) = from + (size_t)__builtin_ctzll(left_), true); left_ &= left_ - 1)

static void look_pem(const struct text *t, size_t from, uint64_t places, struct matches *m)
{
	struct span span;
	size_t i;
	EACH(places, i)
	{
		if (!covered(m, i) && pem_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_PRIVATE_KEY);
	}
}

static void look_rare(struct scanner *s, const struct text *t, size_t from, const struct places *p, size_t lane)
{
	struct matches *m = &s->matches;
	struct span span;
	enum entity_id entity;
	size_t i;
	EACH(p->groups[lane], i)
	{
		groups_at(t, i, m);
	}
	EACH(p->at[lane], i)
	{
		if (teams_webhook_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_TEAMS_WEBHOOK);
		else if (url_password_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_URL_CREDENTIALS);
		else if (email_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_EMAIL);
	}
	EACH(p->commas[lane], i)
	{
		if (!covered(m, i))
			argument_at(t, i, m);
	}
	EACH(p->options[lane], i)
	{
		if (option_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_PASSWORD);
		else if (!covered(m, i))
			option_named_at(t, i, m);
	}
	EACH(p->telegram[lane], i)
	{
		if (telegram_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_TELEGRAM_TOKEN);
		else if (asana_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_ASANA_TOKEN);
	}
	EACH(p->shapes[lane], i)
	{
		if (shape_at(t, i, &span, &entity))
			(void)matches_add(m, span.start, span.end, entity);
	}
	EACH(p->plus[lane], i)
	{
		if (phone_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_PHONE);
	}
	EACH(p->iban[lane], i)
	{
		capitals_at(t, i, m);
	}
	EACH(p->codice[lane], i)
	{
		if (codice_fiscale_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_IT_CODICE_FISCALE);
	}
}

static void look(struct scanner *s, const struct text *t, size_t from, const struct places *p, size_t lane)
{
	struct matches *m = &s->matches;
	size_t i;
	/* first: what looks like a value of its own there may be a part of one */
	if (p->rare[lane] != 0) {
		EACH(p->written[lane], i)
		{
			if (t->bytes[i] != '\t')
				look_written(s, t, i);
			else if (keyvalue_may_end(t, i))
				keyvalue_at(t, i, m);
		}
	}
	if (p->pem[lane] != 0)
		look_pem(t, from, p->pem[lane], m);
	EACH(p->tokens[lane] | p->made[lane], i)
	{
		if (!covered(m, i))
			token_at(s, t, i, (p->made[lane] >> (i - from) & 1) != 0);
	}
	EACH(p->keys[lane] | p->odd[lane], i)
	{
		bool odd = (p->odd[lane] >> (i - from) & 1) != 0;
		if ((!odd || keyvalue_may_end(t, i)) && !covered(m, i) && !in_password(m, i))
			keyvalue_at(t, i, m);
	}
	if (p->rare[lane] != 0)
		look_rare(s, t, from, p, lane);
}

static size_t scan(struct scanner *s, const uint8_t *bytes, size_t len, scan_fn fn, void *ctx, bool by_rules)
{
	const struct text text = {.bytes = bytes, .len = len};
	struct matches *m = &s->matches;
	m->n = m->done = m->told = s->written_upto = s->decoded_upto = 0;
	m->fn = fn;
	m->ctx = ctx;
	m->bytes = by_rules ? bytes : NULL;
	struct classes *c = &s->classes;
	struct places places;
	if (s->went_on)
		classes_begin(c);
	s->went_on = len > CHUNK;
	for (size_t base = 0; base < len; base += CHUNK) {
		size_t left = len - base, n = left < CHUNK ? left : CHUNK, seen = left < CHUNK + 64 ? left : CHUNK + 64;
		size_t words = (n + 63) / 64;
		if (base > 0)
			classes_go_on(c);
		classify(bytes + base, seen, c);
		for (size_t w = 0; w < words; w += PLACES_LANES) {
			size_t lanes = words - w < PLACES_LANES ? words - w : PLACES_LANES;
			s->find(c, 1 + w, &places);
			unsigned int any = s->sieve(&text, base + w * 64, lanes, &places);
			for (; any != 0; any &= any - 1) {
				size_t lane = (size_t)__builtin_ctz(any);
				look(s, &text, base + (w + lane) * 64, &places, lane);
			}
		}
		size_t safe = base + n > LOOKBACK ? base + n - LOOKBACK : 0;
		if (m->n > 0)
			matches_flush(m, left <= CHUNK ? SIZE_MAX : safe);
	}
	return m->told;
}

size_t scan_text(struct scanner *s, const uint8_t *bytes, size_t len, scan_fn fn, void *ctx)
{
	return scan(s, bytes, len, fn, ctx, true);
}

size_t scan_all(struct scanner *s, const uint8_t *bytes, size_t len, scan_fn fn, void *ctx)
{
	return scan(s, bytes, len, fn, ctx, false);
}

uint64_t scan_fingerprint(const struct scanner *s, const uint8_t *value, size_t len)
{
	uint8_t mac[32];
	uint64_t first = 0;
	hmac_sha256(s->key, KEY_BYTES, value, len, mac);
	for (size_t i = 0; i < 8; i++)
		first = first << 8 | mac[i];
	return first;
}

static void redact(void *ctx, const struct scan_match *match)
{
	memset((uint8_t *)ctx + match->start, '*', match->end - match->start);
}

size_t scan_redact(struct scanner *s, uint8_t *text, size_t len)
{
	return scan_all(s, text, len, redact, text);
}
