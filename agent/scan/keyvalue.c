/*
 * Values that their key gives away: the key before a '=', ':' or space is looked up by its last three letters in keys.def, and the
 * value after it goes to the check of that kind.
 */
#include <pthread.h>
#include <string.h>

#include "scan/encoding.h"
#include "scan/lookup.h"
#include "scan/prefilter.h"
#include "scan/secrets.h"
#include "scan/shapes.h"
#include "scan/validators.h"

enum kind {
	KIND_PASSWORD,
	KIND_SECRET,
	KIND_SOME_KEY,
	KIND_AUTHORIZATION,
	KIND_AWS_SECRET,
	KIND_AZURE_STORAGE,
	KIND_SESSION,
	KIND_CVV,
	KIND_BIRTH,
	KIND_GEO,
	KIND_HEALTH,
	KIND_NAME,
	KIND_PHONE,
	KIND_CLIENT_IP,
	KIND_MAC,
	KIND_CARD,
	KIND_IBAN,
	KIND_NATIONAL,
	KIND_EMAIL,
	KIND_PGPASS,   /* host:5432:database:user:password */
	KIND_MANIFEST, /* kind: Secret */
	KIND_LINK,     /* a URL within a query */
	KIND_TYPE,     /* a type between the key and the '=': var token string = … */
	KIND_VALUE,    /* <add key="Password" value="…" /> */
	/* from here on: an entity that national_at() knows */
	KIND_ENTITY,
};

#define KIND_US_SSN (KIND_ENTITY + ENTITY_US_SSN)
#define KIND_US_ITIN (KIND_ENTITY + ENTITY_US_ITIN)
#define KIND_BR_CPF (KIND_ENTITY + ENTITY_BR_CPF)
#define KIND_BR_CNPJ (KIND_ENTITY + ENTITY_BR_CNPJ)
#define KIND_CA_SIN (KIND_ENTITY + ENTITY_CA_SIN)
#define KIND_ES_NIF (KIND_ENTITY + ENTITY_ES_NIF)
#define KIND_FI_HETU (KIND_ENTITY + ENTITY_FI_HETU)
#define KIND_FR_NIR (KIND_ENTITY + ENTITY_FR_NIR)
#define KIND_IT_CODICE_FISCALE (KIND_ENTITY + ENTITY_IT_CODICE_FISCALE)
#define KIND_NL_BSN (KIND_ENTITY + ENTITY_NL_BSN)
#define KIND_PL_PESEL (KIND_ENTITY + ENTITY_PL_PESEL)
#define KIND_SE_PERSONNUMMER (KIND_ENTITY + ENTITY_SE_PERSONNUMMER)
#define KIND_CN_RIC (KIND_ENTITY + ENTITY_CN_RIC)
#define KIND_KR_RRN (KIND_ENTITY + ENTITY_KR_RRN)
#define KIND_AU_TFN (KIND_ENTITY + ENTITY_AU_TFN)
#define KIND_UK_NINO (KIND_ENTITY + ENTITY_UK_NINO)
#define KIND_UK_NHS (KIND_ENTITY + ENTITY_UK_NHS)
#define KIND_IN_AADHAAR (KIND_ENTITY + ENTITY_IN_AADHAAR)
#define KIND_DE_STEUER_ID (KIND_ENTITY + ENTITY_DE_STEUER_ID)
#define KIND_BE_NN (KIND_ENTITY + ENTITY_BE_NN)
#define KIND_DK_CPR (KIND_ENTITY + ENTITY_DK_CPR)
#define KIND_NO_FNR (KIND_ENTITY + ENTITY_NO_FNR)
#define KIND_CH_AHV (KIND_ENTITY + ENTITY_CH_AHV)
#define KIND_PT_NIF (KIND_ENTITY + ENTITY_PT_NIF)
#define KIND_TR_TCKN (KIND_ENTITY + ENTITY_TR_TCKN)
#define KIND_DE_ID_CARD (KIND_ENTITY + ENTITY_DE_ID_CARD)
#define KIND_VIN (KIND_ENTITY + ENTITY_VIN)
#define KIND_IMEI (KIND_ENTITY + ENTITY_IMEI)

#define ENCODED_MAX 512U /* bytes of a percent-encoded value that is judged */

static const struct key {
	const char *words;
	uint8_t len;
	int kind;
} keys[] = {
#define KEY(words, kind) {words, sizeof(words) - 1, KIND_##kind},
#include "scan/keys.def"
#undef KEY
};

#define KEYS (sizeof(keys) / sizeof(*keys))

_Static_assert(KEYS < LOOKUP_ROWS, "LOOKUP_ROWS");

static struct lookup by_end;
uint64_t keyvalue_filter[FILTER_WORDS];
uint8_t keyvalue_folded[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void)
{
	for (unsigned int c = 0; c < 256; c++)
		keyvalue_folded[c] = is_alnum((uint8_t)c) ? lower((uint8_t)c) : 0;
	for (uint16_t i = 0; i < (uint16_t)KEYS; i++) {
		size_t n = keys[i].len;
		const uint8_t *end = (const uint8_t *)keys[i].words + n - 3;
		lookup_put(&by_end, lookup_slot(end[0], end[1], end[2]), i);
		uint32_t two = (uint32_t)end[2] | (uint32_t)end[1] << 8, three = two | (uint32_t)end[0] << 16;
		filter_add(keyvalue_filter, two);
		filter_add(keyvalue_filter, three);
		if (n > 3)
			filter_add(keyvalue_filter, three | (uint32_t)keys[i].words[n - 4] << 24);
	}
}

void keyvalue_prepare(void)
{
	(void)pthread_once(&once, build);
}

bool keyvalue_may_end_before(const struct text *t, size_t sep)
{
	for (unsigned int blanks = 0; sep > 4 && blanks < KEY_COLUMN && t->bytes[sep - 1] == ' '; blanks++)
		sep--;
	if (sep < 5 || keyvalue_ends(t->bytes + sep, sep))
		return sep > 4;
	for (unsigned int digits = 0; digits < 2 && is_digit(t->bytes[sep - 1]); digits++)
		sep--;
	if (keyvalue_folded[t->bytes[sep - 1]] == 0)
		sep--;
	return keyvalue_ends(t->bytes + sep, sep);
}

/* Does the text before `end` spell these words, whatever separators stand between? Whether they begin a word is not asked. */
static bool spelled_before(const struct text *t, size_t end, const struct key *k)
{
	size_t n = k->len, skipped = 0;
	while (n > 0) {
		uint8_t c = text_at(t, --end);
		if (is_alnum(c)) {
			if (lower(c) != (uint8_t)k->words[--n])
				return false;
		} else if (c == 0 || ++skipped > 8) {
			return false;
		}
	}
	return true;
}

/* May a key of this slot end before `sep`? Most words that only end alike leave here. */
static bool any_spelled(const struct text *t, size_t sep, uint32_t slot)
{
	for (uint16_t row = by_end.head[slot]; row != 0; row = by_end.next[row - 1]) {
		if (spelled_before(t, sep, &keys[row - 1]))
			return true;
	}
	return false;
}

/* Slot of the last three letters or digits before `sep`, without the separators among them. */
static uint32_t slot_before(const struct text *t, size_t sep)
{
	uint8_t last[3];
	size_t i = sep, n = 0, skipped = 0;
	while (n < 3) {
		uint8_t c = text_at(t, --i);
		if (is_alnum(c))
			last[n++] = lower(c);
		else if (c == 0 || c == '\n' || ++skipped > 6)
			return LOOKUP_SLOTS;
	}
	return lookup_slot(last[2], last[1], last[0]);
}

static int kind_of(const struct keyname *name, uint32_t slot)
{
	int kind = -1;
	size_t longest = 0;
	for (uint16_t row = by_end.head[slot]; row != 0; row = by_end.next[row - 1]) {
		const struct key *k = &keys[row - 1];
		size_t n = k->len;
		if (n > longest && keyname_ends(name, k->words)) {
			kind = k->kind;
			longest = n;
		}
	}
	return kind;
}

/* Most keys are secret (acme_key=…), but those that find a thing are not; a bare "key" says nothing. */
static bool names_a_secret_key(const struct keyname *name)
{
	static const char *const open_keys[] = {
		"public",  "pub",   "cache", "sort",  "primary", "foreign", "partition", "routing", "row",    "idempotency",
		"object",  "store", "host",  "dedup", "group",   "hash",    "index",     "lookup",  "unique", "composite",
		"message", "event", "map",   "shard", "s3",      "job",     "lock",      "etag",    "node",   "registry"};
	if (name->n <= 3)
		return false;
	for (size_t i = 0; i < sizeof(open_keys) / sizeof(*open_keys); i++) {
		if (keyname_has(name, open_keys[i]))
			return false;
	}
	return true;
}

/* "national id 123 (cpf)": the kind is named after the value. */
static bool named_after(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	size_t open = at;
	while (open - at < 32 && text_at(t, open) != '(') {
		if (text_at(t, open) == '\n' || text_at(t, open) == 0)
			return false;
		open++;
	}
	size_t close = open;
	while (close - open < KEYNAME_MAX && text_at(t, close) != ')')
		close++;
	struct keyname name;
	if (text_at(t, open) != '(' || text_at(t, close) != ')' || !keyname_before(t, close, &name))
		return false;
	uint32_t slot = slot_before(t, close);
	int kind = slot < LOOKUP_SLOTS ? kind_of(&name, slot) : -1;
	if (kind < KIND_ENTITY)
		return false;
	*ret_entity = (enum entity_id)(kind - KIND_ENTITY);
	return national_at(t, at, *ret_entity, ret);
}

/* Where the value after `sep` begins: blanks, quotes, brackets and arrows between are skipped. SIZE_MAX for two quotes with nothing
 * between. */
static size_t value_start(const struct text *t, size_t sep)
{
	size_t i = sep + 1, max = 8;
	uint8_t quote = 0;
	/* an element's text may stand on a line of its own */
	if (text_at(t, sep) == '>' && is_blank(text_at(t, i))) {
		while (i - sep < 32 && is_blank(text_at(t, i)) && i < t->len)
			i++;
		max = i - sep + 1;
	}
	while (i - sep < max) {
		uint8_t c = text_at(t, i);
		if (is_quote(c)) {
			if (c == quote)
				return SIZE_MAX;
			quote = c;
		} else if (c != ' ' && c != '[' && c != '\\' && c != '=' && c != '>' && c != ':' && c != '\t' && c != '<' &&
			   c != ',') {
			break;
		} else if (c == ',' && i > sep + 1) {
			break;
		}
		i++;
	}
	return i;
}

/* What the key that ends before `sep` says of its value, or -1. */
static int kind_before(const struct text *t, size_t sep, struct keyname *ret_name)
{
	uint32_t slot = slot_before(t, sep);
	if (slot >= LOOKUP_SLOTS || !any_spelled(t, sep, slot) || !keyname_before(t, sep, ret_name))
		return -1;
	int kind = kind_of(ret_name, slot);
	if (kind == KIND_TYPE) {
		while (sep > 0 && !is_alnum(t->bytes[sep - 1]))
			sep--;
		sep -= strlen("string");
	} else if (kind == KIND_VALUE) {
		sep = ret_name->start - 1;
		if (text_at(t, sep) != ' ' || text_at(t, sep - 1) != '"')
			return -1;
	} else {
		return kind;
	}
	slot = slot_before(t, sep);
	kind = slot < LOOKUP_SLOTS && any_spelled(t, sep, slot) && keyname_before(t, sep, ret_name) ? kind_of(ret_name, slot) : -1;
	return kind == KIND_TYPE || kind == KIND_VALUE ? -1 : kind;
}

static bool is_secret_kind(int kind)
{
	return kind == KIND_PASSWORD || kind == KIND_SECRET || kind == KIND_SOME_KEY || kind == KIND_AWS_SECRET ||
	       kind == KIND_AZURE_STORAGE;
}

static void value_at(const struct text *t, size_t sep, int kind, const struct keyname *name, struct matches *m);

/* Where the key of the separator at `sep` ends, and what it is: blanks of a column and the number of a key (password2) do not count. */
static int kind_at(const struct text *t, size_t sep, struct keyname *ret_name)
{
	size_t end = sep;
	while (end > 0 && sep - end < KEY_COLUMN && t->bytes[end - 1] == ' ')
		end--;
	int kind = kind_before(t, end, ret_name);
	for (unsigned int digits = 0; kind < 0 && digits < 2 && is_digit(text_at(t, end - 1)); digits++)
		kind = kind_before(t, --end, ret_name);
	return kind;
}

void keyvalue_at(const struct text *t, size_t sep, struct matches *m)
{
	struct keyname name;
	int kind = kind_at(t, sep, &name);
	if (kind >= 0)
		value_at(t, sep, kind, &name, m);
}

void named_token_at(const struct text *t, size_t at, struct matches *m)
{
	struct keyname name;
	int kind = kind_before(t, at - 1, &name);
	if (is_secret_kind(kind))
		value_at(t, at - 1, kind, &name, m);
}

void argument_at(const struct text *t, size_t comma, struct matches *m)
{
	struct keyname name;
	if (!keyvalue_may_end(t, comma))
		return;
	int kind = kind_before(t, comma, &name);
	if (!is_secret_kind(kind) || name.start < 2)
		return;
	/* the key is the first argument, as a whole */
	if (is_quote(t->bytes[name.start - 1]) && t->bytes[name.start - 2] == '(')
		value_at(t, comma, kind, &name, m);
}

/* Names of tokens that are no secret: public ones, and those against forged requests, which live as long as a page. */
static bool names_an_open_token(const struct keyname *name)
{
	return keyname_has(name, "public") || keyname_has(name, "csrf") || keyname_has(name, "xsrf") ||
	       keyname_has(name, "publishable");
}

/* A value that a key calls a secret, of no kind of its own. After "token " without a quote it has to look made by a machine; after
 * "key " also unlike the hash that finds a thing. */
static bool some_secret_at(const struct text *t, size_t sep, size_t at, int kind, struct span *ret)
{
	if (!secret_at(t, at, ret))
		return quoted_secret_at(t, at, ret);
	if (text_at(t, sep) != ' ' || is_quote(text_at(t, at - 1)) || text_at(t, at - 1) == '[')
		return true;
	return token_in_prose(t, ret, kind != KIND_SOME_KEY);
}

/* What the value at `at` is, of a key of this kind whose separator is at `sep`. */
static bool judge(const struct text *t, size_t sep, size_t at, int kind, const struct keyname *name, struct span *ret,
		  enum entity_id *ret_entity)
{
	struct span span;
	bool prose = text_at(t, sep) == ' ';
	enum entity_id entity = ENTITY_PASSWORD;
	bool found = false;
	switch (kind) {
	case KIND_PASSWORD:
		found = text_at(t, name->start - 1) != '/' && (password_at(t, sep, at, &span) || netrc_at(t, sep, at, &span));
		if (found && in_connection_string(t, name->start))
			entity = ENTITY_URL_CREDENTIALS;
		break;
	case KIND_SECRET:
		entity = ENTITY_API_KEY;
		found = !names_an_open_token(name) &&
			(some_secret_at(t, sep, at, kind, &span) || (!prose && long_number_at(t, at, &span)));
		if (found && azure_ad_holds(t->bytes + span.start, span.end - span.start))
			entity = ENTITY_AZURE_AD_SECRET;
		break;
	case KIND_SOME_KEY:
		entity = ENTITY_API_KEY;
		found = names_a_secret_key(name) && some_secret_at(t, sep, at, kind, &span) && span.end - span.start >= 20;
		break;
	case KIND_AUTHORIZATION:
		found = authorization_value(t, at, &span, &entity);
		break;
	case KIND_AWS_SECRET:
		entity = ENTITY_AWS_SECRET_KEY;
		found = aws_secret_at(t, at, &span);
		if (!found && !keyname_has(name, "aws")) {
			entity = ENTITY_API_KEY;
			found = some_secret_at(t, sep, at, kind, &span);
		}
		break;
	case KIND_AZURE_STORAGE:
		entity = ENTITY_AZURE_STORAGE_KEY;
		found = azure_storage_at(t, at, &span);
		if (!found) {
			entity = ENTITY_API_KEY;
			found = some_secret_at(t, sep, at, kind, &span);
		}
		break;
	case KIND_SESSION:
		entity = ENTITY_SESSION_COOKIE;
		found = session_at(t, at, &span);
		break;
	case KIND_CVV:
		entity = ENTITY_CVV;
		found = cvv_at(t, at, &span);
		break;
	case KIND_BIRTH:
		entity = ENTITY_DOB;
		found = birth_date_at(t, at, &span);
		break;
	case KIND_GEO:
		entity = ENTITY_GEO;
		found = geo_at(t, at, &span);
		break;
	case KIND_HEALTH:
		entity = ENTITY_HEALTH;
		found = health_code_at(t, at, &span);
		break;
	case KIND_NAME:
		entity = ENTITY_PERSON_NAME;
		found = (!prose || text_at(t, at - 1) == '[') && person_name_at(t, at, &span);
		break;
	case KIND_PHONE:
		entity = ENTITY_PHONE;
		found = phone_national_at(t, at, &span);
		break;
	case KIND_CLIENT_IP:
		entity = ENTITY_IP_ADDRESS_PUBLIC;
		found = public_ip_at(t, at, &span);
		break;
	case KIND_MAC:
		entity = ENTITY_MAC_ADDRESS;
		found = mac_at(t, at, &span);
		break;
	case KIND_CARD:
		entity = ENTITY_CREDIT_CARD;
		found = card_at(t, at, true, &span);
		break;
	case KIND_IBAN:
		entity = ENTITY_IBAN;
		found = iban_at(t, at, true, &span);
		break;
	case KIND_EMAIL:
		entity = ENTITY_EMAIL;
		found = email_encoded_at(t, at, &span);
		break;
	case KIND_PGPASS:
		found = pgpass_at(t, name->start, sep, &span);
		break;
	case KIND_LINK: {
		const uint8_t *sign = at < t->len ? memchr(t->bytes + at, '@', t->len - at) : NULL;
		entity = ENTITY_URL_CREDENTIALS;
		found = sign != NULL && url_password_at(t, (size_t)(sign - t->bytes), &span);
		break;
	}
	case KIND_NATIONAL:
		found = named_after(t, at, &span, &entity);
		break;
	default:
		entity = (enum entity_id)(kind - KIND_ENTITY);
		found = national_at(t, at, entity, &span);
		break;
	}
	if (found) {
		*ret = span;
		*ret_entity = entity;
	}
	return found;
}

/* A value of a query that is written with %XX: judged as what it stands for, told as it stands. */
static bool encoded_at(const struct text *t, size_t sep, size_t at, int kind, const struct keyname *name, struct matches *m)
{
	uint8_t plain[KEYNAME_MAX * 2 + ENCODED_MAX];
	size_t end = at, before = sep - name->start + 1;
	if (before > KEYNAME_MAX * 2 || name->start == 0)
		return false;
	memcpy(plain, t->bytes + name->start - 1, before);
	size_t n = percent_decode(t, at, plain + before, ENCODED_MAX, &end);
	if (n == 0)
		return false;
	plain[before + n] = 0;
	const struct text decoded = {.bytes = plain, .len = before + n + 1};
	struct keyname moved = *name;
	struct span span;
	enum entity_id entity;
	moved.start = 1;
	plain[before - 1] = '=';
	bool found = judge(&decoded, before - 1, before, kind, &moved, &span, &entity);
	explicit_bzero(plain, sizeof(plain));
	return found && matches_add(m, at, end, entity);
}

static void value_at(const struct text *t, size_t sep, int kind, const struct keyname *name, struct matches *m)
{
	size_t at = value_start(t, sep);
	struct span span;
	enum entity_id entity;
	if (at == SIZE_MAX)
		return;
	if (kind == KIND_MANIFEST)
		manifest_at(t, sep, at, m);
	else if (text_at(t, sep) == '=' && encoded_at(t, sep, at, kind, name, m))
		return;
	else if (kind != KIND_LINK && judge(t, sep, at, kind, name, &span, &entity))
		(void)matches_add(m, span.start, span.end, entity);
}
