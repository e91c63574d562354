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
#include "scan/prefilter.h"
#include "scan/sha256.h"
#include "scan/shapes.h"
#include "scan/validators.h"

#define CHUNK 4096U
#define WORDS (CHUNK / 64)
#define KEY_BYTES 16U
/* A validator may look at most this far back from its place, so a match may begin that much before the chunk. */
#define LOOKBACK 512U

struct scanner {
	uint8_t key[KEY_BYTES];
	struct classes classes[WORDS + 1]; /* one word more: places at the end of the chunk look ahead */
	struct matches matches;
};

struct scanner *scanner_new(const uint8_t *key)
{
	struct scanner *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	vendor_prepare();
	keyvalue_prepare();
	if (key != NULL) {
		memcpy(s->key, key, KEY_BYTES);
	} else if (getrandom(s->key, KEY_BYTES, 0) != KEY_BYTES) {
		free(s);
		return NULL;
	}
	return s;
}

void scanner_free(struct scanner *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, sizeof(*s));
	free(s);
}

/* Bit i of the result is bit i + n of the map that `low` and then `high` hold. */
static inline uint64_t ahead(uint64_t low, uint64_t high, unsigned int n)
{
	return low >> n | high << (64 - n);
}

/* Places of one word of 64 bytes, by what looks at them. */
struct places {
	uint64_t at, plus, groups, iban, codice, keys, tokens, pem, commas, telegram, shapes;
};

/* What the word before leaves behind: whether its last byte was of a class. */
struct carry {
	uint64_t word, digit, alpha, group, quote;
};

static inline void find(const struct classes *c, struct carry *carry, struct places *ret)
{
	const struct classes *n = c + 1;
	uint64_t alpha = c->upper | c->lower, alpha_next = n->upper | n->lower;
	uint64_t word = alpha | c->digit | c->underscore, word_next = alpha_next | n->digit | n->underscore;
	uint64_t before_word = word << 1 | carry->word, before_digit = c->digit << 1 | carry->digit,
		 before_alpha = alpha << 1 | carry->alpha;
	uint64_t next_digit = ahead(c->digit, n->digit, 1);

	ret->at = c->at;
	ret->plus = c->plus & next_digit & ~before_word;

	/* digits, divided by at most one space or dash between two of them: runs of at least 11 characters */
	uint64_t between = (c->space | c->dash) & before_digit & next_digit;
	uint64_t last = c->digit >> 63;
	uint64_t between_next = (n->space | n->dash) & (n->digit << 1 | last) & n->digit >> 1;
	uint64_t g1 = c->digit | between, g1n = n->digit | between_next;
	uint64_t group_start = g1 & ~(g1 << 1 | carry->group);
	uint64_t g2 = g1 & ahead(g1, g1n, 1), g2n = g1n & g1n >> 1;
	uint64_t g4 = g2 & ahead(g2, g2n, 2), g4n = g2n & g2n >> 2;
	uint64_t g8 = g4 & ahead(g4, g4n, 4), g8n = g4n & g4n >> 4;
	ret->groups = group_start & g8 & ahead(g8, g8n, 3);

	/* two capitals and two digits; six capitals and two digits */
	uint64_t u2 = c->upper & ahead(c->upper, n->upper, 1), u2n = n->upper & n->upper >> 1;
	uint64_t d2 = c->digit & next_digit, d2n = n->digit & n->digit >> 1;
	ret->iban = u2 & ahead(d2, d2n, 2) & ~before_word;
	ret->codice = u2 & ahead(u2, u2n, 2) & ahead(u2, u2n, 4) & ahead(d2, d2n, 6) & ~before_word;

	/* a key ends: '=', ':' unless inside a time, a space between a word and a number or a quote */
	uint64_t opens = ahead(c->digit | c->quote | c->plus | c->dash, n->digit | n->quote | n->plus | n->dash, 1);
	/* "peer fe01:…": an IPv6 address may begin with a letter, and has a colon among its first five characters */
	uint64_t colon = ahead(c->colon, n->colon, 1), colon_next = n->colon >> 1;
	colon |= ahead(colon, colon_next, 1), colon_next |= colon_next >> 1;
	colon |= ahead(colon, colon_next, 2);
	opens |= ahead(alpha, alpha_next, 1) & ahead(colon, colon_next | colon_next >> 2, 1);
	ret->keys = c->equals | (c->colon & ~(before_digit & next_digit)) | (c->space & before_alpha & opens);

	/* a word begins a run of at least 15 characters that tokens are made of */
	uint64_t t1 = word | c->dot | c->dash, t1n = word_next | n->dot | n->dash;
	uint64_t t2 = t1 & ahead(t1, t1n, 1), t2n = t1n & t1n >> 1;
	uint64_t t4 = t2 & ahead(t2, t2n, 2), t4n = t2n & t2n >> 2;
	uint64_t t8 = t4 & ahead(t4, t4n, 4), t8n = t4n & t4n >> 4;
	ret->tokens = word & ~before_word & t8 & ahead(t8, t8n, 7);

	/* signs in the middle of a vendor's key: shapes.c */
	ret->shapes =
		ret->tokens & (ahead(c->dash, n->dash, 32) | ahead(c->underscore, n->underscore, 36) | ahead(c->dot, n->dot, 22));
	ret->telegram = c->colon & before_digit & ahead(c->upper, n->upper, 1);

	/* "KEY", "value" of a call */
	uint64_t quotes = c->quote | c->double_quote, quotes_next = n->quote | n->double_quote;
	ret->commas = c->comma & (quotes << 1 | carry->quote) &
		      (ahead(quotes, quotes_next, 1) | (ahead(c->space, n->space, 1) & ahead(quotes, quotes_next, 2)));

	/* five dashes and a capital */
	uint64_t h2 = c->dash & ahead(c->dash, n->dash, 1), h2n = n->dash & n->dash >> 1;
	ret->pem = h2 & ahead(h2, h2n, 2) & ahead(c->dash, n->dash, 4) & ahead(c->upper, n->upper, 5);

	carry->word = word >> 63;
	carry->digit = last;
	carry->alpha = alpha >> 63;
	carry->group = g1 >> 63;
	carry->quote = quotes >> 63;
}

static size_t digits_end(const struct text *t, size_t i)
{
	while (is_digit(text_at(t, i)))
		i++;
	return i;
}

/* A run of digit groups: a card or a social security number may begin with any of them whose length allows. */
static void groups_at(const struct text *t, size_t at, struct matches *m)
{
	for (size_t i = at, end = digits_end(t, i);;) {
		uint8_t c = text_at(t, end);
		bool more = (c == ' ' || c == '-') && is_digit(text_at(t, end + 1));
		size_t next = more ? digits_end(t, end + 1) : end, n = end - i, n_next = more ? next - end - 1 : 0;
		struct span span;
		if (n >= 15 && facebook_app_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_FACEBOOK_TOKEN);
		else if ((n >= 12 || (n == 4 && (n_next == 4 || n_next == 6))) && card_at(t, i, false, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_CREDIT_CARD);
		else if (n == 3 && n_next == 2 && us_ssn_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_US_SSN);
		if (!more)
			break;
		i = end + 1;
		end = next;
	}
}

static void token_at(const struct text *t, size_t at, struct matches *m)
{
	struct span span;
	enum entity_id entity;
	if (at + 3 <= t->len && t->bytes[at] == 'e' && t->bytes[at + 1] == 'y' && jwt_at(t, at, &span)) {
		(void)matches_add(m, span.start, span.end, ENTITY_JWT);
		return;
	}
	if (at + 3 <= t->len && vendor_may_begin(t->bytes + at) && vendor_at(t, at, &span, &entity)) {
		(void)matches_add(m, span.start, span.end, entity);
		return;
	}
	if (text_at(t, at - 1) == ' ' && at >= 6 && (text_is(t, at - 6, "earer ") || text_is(t, at - 5, "asic ")))
		authorization_at(t, at - (text_is(t, at - 6, "earer ") ? 7 : 6), m);
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

static void look_rare(const struct text *t, size_t from, const struct places *p, struct matches *m)
{
	struct span span;
	enum entity_id entity;
	size_t i;
	EACH(p->groups, i)
	{
		groups_at(t, i, m);
	}
	EACH(p->at, i)
	{
		if (teams_webhook_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_TEAMS_WEBHOOK);
		else if (url_password_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_URL_CREDENTIALS);
		else if (email_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_EMAIL);
	}
	EACH(p->commas, i)
	{
		if (!covered(m, i))
			argument_at(t, i, m);
	}
	EACH(p->telegram, i)
	{
		if (telegram_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_TELEGRAM_TOKEN);
	}
	EACH(p->shapes, i)
	{
		if (shape_at(t, i, &span, &entity))
			(void)matches_add(m, span.start, span.end, entity);
	}
	EACH(p->plus, i)
	{
		if (phone_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_PHONE);
	}
	EACH(p->iban, i)
	{
		if (iban_at(t, i, false, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_IBAN);
	}
	EACH(p->codice, i)
	{
		if (codice_fiscale_at(t, i, &span))
			(void)matches_add(m, span.start, span.end, ENTITY_IT_CODICE_FISCALE);
	}
}

static void look(const struct text *t, size_t from, const struct places *p, struct matches *m)
{
	size_t i;
	if (p->pem != 0)
		look_pem(t, from, p->pem, m);
	EACH(p->tokens, i)
	{
		if (!covered(m, i))
			token_at(t, i, m);
	}
	EACH(p->keys, i)
	{
		if (keyvalue_may_end(t, i) && !covered(m, i) && !in_password(m, i))
			keyvalue_at(t, i, m);
	}
	if ((p->groups | p->at | p->plus | p->iban | p->codice | p->commas | p->telegram | p->shapes) != 0)
		look_rare(t, from, p, m);
}

size_t scan_text(struct scanner *s, const uint8_t *bytes, size_t len, scan_fn fn, void *ctx)
{
	const struct text text = {.bytes = bytes, .len = len};
	struct matches *m = &s->matches;
	m->n = m->done = m->told = 0;
	m->fn = fn;
	m->ctx = ctx;
	struct carry carry = {0};
	for (size_t base = 0; base < len; base += CHUNK) {
		size_t left = len - base, n = left < CHUNK ? left : CHUNK, seen = left < CHUNK + 64 ? left : CHUNK + 64;
		size_t words = (n + 63) / 64, read = (seen + 63) / 64;
		classify(bytes + base, seen, s->classes);
		if (read == words)
			s->classes[words] = (struct classes){0};
		for (size_t w = 0; w < words; w++) {
			struct places places;
			find(&s->classes[w], &carry, &places);
			look(&text, base + w * 64, &places, m);
		}
		size_t safe = base + n > LOOKBACK ? base + n - LOOKBACK : 0;
		if (m->n > 0)
			matches_flush(m, left <= CHUNK ? SIZE_MAX : safe);
	}
	return m->told;
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
	return scan_text(s, text, len, redact, text);
}
