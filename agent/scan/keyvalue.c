/*
 * Values that their key gives away: what stands after a key (keys.c says which kind it is) goes to the check of that kind.
 */
#include <string.h>

#include "scan/carrier.h"
#include "scan/encoding.h"
#include "scan/keys.h"
#include "scan/prefilter.h"
#include "scan/secrets.h"
#include "scan/services.h"
#include "scan/shapes.h"
#include "scan/validators.h"

#define COOKIES_MAX 400U /* bytes of a Cookie header before the one that matters */
#define OPTION_MAX 40U   /* of an option's name and its dashes */
#define ENCODED_MAX 512U /* bytes of a percent-encoded value that is judged */

/* Most keys are secret (acme_key=…), but those that find a thing are not; a bare "key" says nothing. */
static bool names_a_secret_key(const struct keyname *name)
{
	static const char *const open_keys[] = {"public",  "pub",  "cache",       "sort",   "primary", "foreign",   "partition",
						"routing", "row",  "idempotency", "object", "store",   "host",      "dedup",
						"group",   "hash", "index",       "lookup", "unique",  "composite", "message",
						"event",   "map",  "websocket",   "shard",  "s3",      "job",       "lock",
						"etag",    "node", "registry",    "gpg",    "pgp"};
	if (name->n <= 3)
		return false;
	for (size_t i = 0; i < sizeof(open_keys) / sizeof(*open_keys); i++) {
		if (keyname_has_word(name, open_keys[i]))
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
	if (text_at(t, open) != '(' || text_at(t, close) != ')')
		return false;
	int kind = keys_kind_before(t, close, &name);
	if (kind < KIND_ENTITY)
		return false;
	*ret_entity = (enum entity_id)(kind - KIND_ENTITY);
	return national_at(t, at, *ret_entity, ret);
}

static bool is_secret_kind(int kind)
{
	return kind == KIND_PASSWORD || kind == KIND_SECRET || kind == KIND_SOME_KEY || kind == KIND_AWS_SECRET ||
	       kind == KIND_AZURE_STORAGE;
}

void keyvalue_at(const struct text *t, size_t sep, struct matches *m)
{
	struct keyname name;
	int kind = keys_kind_at(t, sep, &name);
	if (kind >= 0)
		value_named_at(t, sep, kind, &name, m);
}

void named_token_at(const struct text *t, size_t at, struct matches *m)
{
	struct keyname name;
	int kind = keys_kind_before(t, at - 1, &name);
	if (is_secret_kind(kind) || kind == KIND_SERVICE || kind == KIND_SESSION || kind == KIND_VIN)
		value_named_at(t, at - 1, kind, &name, m);
}

/* "--db-password": does the name stand behind two dashes? */
static bool is_option(const struct text *t, const struct keyname *name)
{
	return text_at(t, name->start - 1) == '-' && text_at(t, name->start - 2) == '-';
}

void argument_at(const struct text *t, size_t comma, struct matches *m)
{
	struct keyname name;
	if (!keyvalue_may_end(t, comma))
		return;
	int kind = keys_kind_before(t, comma, &name);
	/* ["app", "--password", "…"] */
	if (kind >= 0 && is_option(t, &name) && is_quote(text_at(t, name.start - 3))) {
		size_t at = value_start(t, comma);
		if (at != SIZE_MAX && text_at(t, at) != '-')
			value_named_at(t, comma, kind, &name, m);
		return;
	}
	/* the key is the first argument, as a whole */
	for (; text_at(t, name.start - 1) == '_'; name.start--)
		;
	if (kind < 0 || name.start < 3 || !is_quote(t->bytes[name.start - 1]))
		return;
	size_t open = name.start - (t->bytes[name.start - 2] == 'b' ? 3 : 2);
	if ((is_secret_kind(kind) && t->bytes[open] == '(') || pair_at(t, open, comma))
		value_named_at(t, comma, kind, &name, m);
}

/* Names of tokens that are no secret: public ones, and those against forged requests, which live as long as a page. */
static bool names_an_open_token(const struct keyname *name)
{
	return keyname_has(name, "public") || keyname_has(name, "csrf") || keyname_has(name, "xsrf") ||
	       keyname_has(name, "publishable");
}

/* Does the line say before `key` that it is about a cookie? A session is many things elsewhere. */
static bool in_cookie_header(const struct text *t, size_t key)
{
	for (size_t i = key; i > 0 && key - i < COOKIES_MAX && t->bytes[i - 1] != '\n'; i--) {
		if (lower(t->bytes[i - 1]) == 'c' && text_is(t, i - 1, "cookie"))
			return true;
	}
	return false;
}

/* A value that a key calls a secret, of no kind of its own. After "token " without a quote it has to look made by a machine; after
 * "key " also unlike the hash that finds a thing. */
static bool some_secret_at(const struct text *t, size_t sep, size_t at, int kind, struct span *ret)
{
	if (!secret_at(t, at, ret))
		return quoted_secret_at(t, at, ret) ||
		       (text_at(t, sep) != ' ' &&
			((kind != KIND_SOME_KEY && short_secret_at(t, at, ret)) || letters_secret_at(t, at, ret)));
	bool prose = text_at(t, sep) == ' ' || text_at(t, sep) == '\t';
	if (!prose || is_quote(text_at(t, at - 1)) || text_at(t, at - 1) == '[')
		return true;
	return token_in_prose(t, ret, kind != KIND_SOME_KEY);
}

/* "PASS: gcc.dg/vect.c": how a test ended, at the line's beginning or behind its time. */
static bool is_verdict(const struct text *t, const struct keyname *name, size_t sep)
{
	if (name->n != 4 || text_at(t, sep) != ':' || text_at(t, sep + 1) != ' ' || text_at(t, name->start) != 'P' ||
	    text_at(t, name->start + 3) != 'S')
		return false;
	uint8_t before = text_at(t, name->start - 1), further = text_at(t, name->start - 2);
	return name->start == 0 || before == '\n' || (before == ' ' && (further == ']' || further == ')' || is_digit(further)));
}

/* "pass `signal` to it", "PASS (12 of 12)": a verb or how a test ended; "$PWD:/work", "hash_password::<Sha256>": a variable, a function. */
static bool is_other_word(const struct text *t, const struct keyname *name, size_t sep)
{
	uint8_t next = text_at(t, sep + 1);
	if (text_at(t, sep) == ':')
		return text_at(t, name->start - 1) == '$' || (next == ':' && text_at(t, sep + 2) == '<') ||
		       (next == '<' && text_at(t, sep - 1) == ':');
	return name->n == 4 && keyname_ends(name, "pass") &&
	       ((text_at(t, sep) == ' ' && next == '`') ||
		(text_at(t, sep) == '(' && text_at(t, sep - 1) == ' ' && is_digit(next)));
}

/* "SetPassword(0xc000123456, 0x8)": what a stack trace of Go says of an argument. */
static bool is_pointer(const struct text *t, size_t sep, size_t at)
{
	return text_at(t, sep) == '(' && text_at(t, at) == '0' && text_at(t, at + 1) == 'x';
}

/* "/password", and no "</password": the name of a page. */
static bool ends_a_path(const struct text *t, const struct keyname *name)
{
	uint8_t before = text_at(t, name->start - 2);
	return text_at(t, name->start - 1) == '/' && before != '<' && before != '\\';
}

/* Does the next word follow in a row of words, where it may as well be a name: "password\t…", "password" "…"? */
static bool in_row(const struct text *t, size_t sep)
{
	return text_at(t, sep) == '\t' || is_quote(text_at(t, sep));
}

/* Does the name stand in a column of its own, or behind the dashes of an option: "| password | …", "--password …"? */
static bool set_apart(const struct text *t, size_t sep, const struct keyname *name)
{
	return in_row(t, sep) || (text_at(t, sep) == ' ' && (text_at(t, sep + 1) == '|' || is_option(t, name)));
}

static bool says_who_only(const struct keyname *name)
{
	return keyname_ends(name, "client") || keyname_ends(name, "peer") || keyname_ends(name, "visitor");
}

/* What the value at `at` is, of a key of this kind whose separator is at `sep`. */
static bool judge(const struct text *t, size_t sep, size_t at, int kind, const struct keyname *name, struct span *ret,
		  enum entity_id *ret_entity)
{
	struct span span;
	bool prose = text_at(t, sep) == ' ' || text_at(t, sep) == '\t';
	enum entity_id entity = ENTITY_PASSWORD;
	bool found = false;
	switch (kind) {
	case KIND_PASSWORD:
		found = !ends_a_path(t, name) && !is_verdict(t, name, sep) && !is_other_word(t, name, sep) &&
			!is_pointer(t, sep, at) &&
			((!in_row(t, sep) && (password_at(t, sep, at, &span) || netrc_at(t, sep, at, &span))) ||
			 (set_apart(t, sep, name) && chosen_password_at(t, at, &span)));
		if (found && in_connection_string(t, name->start))
			entity = ENTITY_URL_CREDENTIALS;
		break;
	case KIND_SECRET:
		if (service_key_at(t, at, name, &span, &entity) && !names_an_open_token(name)) {
			found = true;
			break;
		}
		entity = ENTITY_API_KEY;
		found = !names_an_open_token(name) &&
			(some_secret_at(t, sep, at, kind, &span) || (!prose && long_number_at(t, at, &span)));
		if (found && azure_ad_holds(t->bytes + span.start, span.end - span.start))
			entity = ENTITY_AZURE_AD_SECRET;
		break;
	case KIND_SOME_KEY:
		if (service_key_at(t, at, name, &span, &entity) && names_a_secret_key(name)) {
			found = true;
			break;
		}
		entity = ENTITY_API_KEY;
		found = some_secret_at(t, sep, at, kind, &span) && span.end - span.start >= 20 && names_a_secret_key(name);
		break;
	case KIND_AUTHORIZATION:
		found = authorization_value(t, at, &span, &entity) ||
			(!prose && keyname_ends(name, "authorization") && authorization_other(t, at, &span, &entity));
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
	case KIND_SERVICE:
		found = service_alone_at(t, at, name, &span, &entity);
		break;
	case KIND_SIGNATURE:
		entity = ENTITY_URL_CREDENTIALS;
		found = url_signature_at(t, name->start, at, &span);
		break;
	case KIND_SESSION:
		entity = ENTITY_SESSION_COOKIE;
		found = session_at(t, at, &span);
		break;
	case KIND_COOKIE:
		entity = ENTITY_SESSION_COOKIE;
		found = text_at(t, sep) == '=' && session_at(t, at, &span) && in_cookie_header(t, name->start);
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
		found = geo_at(t, at, keyname_ends(name, "lat"), &span);
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
		/* "client=4.17.14.3" says no more than that it is of a client */
		found = public_ip_at(t, at, &span) && !(says_who_only(name) && version_like(t, &span));
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

void option_named_at(const struct text *t, size_t dash, struct matches *m)
{
	size_t end = dash + 2;
	struct keyname name;
	while (end - dash < OPTION_MAX && (is_word(text_at(t, end)) || text_at(t, end) == '-' || text_at(t, end) == '.'))
		end++;
	if (text_at(t, dash + 1) != '-' || text_at(t, end) != ' ' || text_at(t, end + 1) == '-' || !keyvalue_may_end(t, end))
		return;
	int kind = keys_kind_at(t, end, &name);
	if (kind >= 0 && is_option(t, &name))
		value_named_at(t, end, kind, &name, m);
}

/* A value of a query that is written with %XX: judged as what it stands for, told as it stands. */
static bool encoded_at(const struct text *t, size_t sep, size_t at, int kind, const struct keyname *name, struct matches *m)
{
	uint8_t plain[KEYNAME_MAX * 2 + ENCODED_MAX];
	size_t end = at, before = sep - name->start + 1;
	if (before > KEYNAME_MAX * 2)
		return false;
	plain[0] = name->start > 0 ? t->bytes[name->start - 1] : '&';
	memcpy(plain + 1, t->bytes + name->start, before - 1);
	/* a password may have a '+' of its own; in a number or a name it is the blank of a form */
	bool pluses = kind >= KIND_ENTITY || kind == KIND_CARD || kind == KIND_IBAN || kind == KIND_PHONE || kind == KIND_NAME;
	size_t n = percent_decode(t, at, pluses, plain + before, ENCODED_MAX, &end);
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

/* "acme-secret-1f0c…": a whole word, so what follows the key has to be a value without doubt. */
static void joined_at(const struct text *t, size_t dash, int kind, const struct keyname *name, struct matches *m)
{
	struct span span;
	bool secret = kind == KIND_SECRET ? !names_an_open_token(name) : kind == KIND_SOME_KEY && names_a_secret_key(name);
	if (secret && joined_secret_at(t, dash + 1, &span))
		(void)matches_add(m, span.start, span.end, ENTITY_API_KEY);
}

void value_named_at(const struct text *t, size_t sep, int kind, const struct keyname *name, struct matches *m)
{
	uint8_t c = text_at(t, sep);
	/* "HSET" "user:1" "password" "…", as MONITOR of Redis writes it */
	bool word = is_quote(c) && text_at(t, name->start - 1) == c && text_at(t, sep + 1) == ' ' && text_at(t, sep + 2) == c;
	/* what only commands have behind their words */
	bool only_command = c != ' ' && c != '=' && c != '>' && c != ':' && c != ',' && c != '(' && c != '-' && c != '\t' &&
			    !(word && kind != KIND_COMMAND);
	bool command = (c == ' ' || c == '\r' || is_quote(c)) &&
		       (kind == KIND_AUTHORIZATION || kind == KIND_PASSWORD || kind == KIND_COMMAND);
	if ((command && command_at(t, sep, m)) || kind == KIND_COMMAND || only_command)
		return;
	if (c == ' ' && text_at(t, sep + 1) == '(') {
		in_list_at(t, sep + 1, kind, name, m);
		return;
	}
	if (c == '>' && element_closes(t, name->start, &sep) && sep == SIZE_MAX)
		return;
	size_t at = word ? sep + 3 : value_start(t, sep);
	struct span span;
	enum entity_id entity;
	if (at == SIZE_MAX)
		return;
	if (text_at(t, sep) == '-')
		joined_at(t, sep, kind, name, m);
	else if (kind == KIND_MANIFEST)
		manifest_at(t, sep, at, m);
	else if (kind == KIND_INSERT)
		insert_at(t, name->start, sep, m);
	else if (text_at(t, sep) == '=' && encoded_at(t, sep, at, kind, name, m))
		return;
	else if (kind != KIND_LINK && judge(t, sep, at, kind, name, &span, &entity))
		(void)matches_add(m, span.start, span.end, entity);
}
