/*
 * Vendors' keys, by prefix, alphabet and length (vendors.def), with the few checks that a prefix cannot say.
 */
#include <pthread.h>
#include <string.h>

#include "scan/alphabet.h"
#include "scan/encoding.h"
#include "scan/lookup.h"
#include "scan/plain.h"
#include "scan/prefilter.h"
#include "scan/shapes.h"
#include "scan/validators.h"

static const struct vendor {
	const char *prefix;
	enum entity_id entity;
	enum alphabet alphabet;
	uint16_t len, min, max; /* of the prefix, and of what follows it */
} vendors[] = {
#define VENDOR(entity, prefix, alphabet, min, max) {prefix, ENTITY_##entity, alphabet, sizeof(prefix) - 1, min, max},
#include "scan/vendors.def"
#undef VENDOR
};

#define VENDORS (sizeof(vendors) / sizeof(*vendors))

_Static_assert(VENDORS < LOOKUP_ROWS, "LOOKUP_ROWS");

static struct lookup by_prefix;
uint32_t vendor_filter[FILTER_ENTRIES];
uint32_t base64_filter[FILTER_ENTRIES];
static uint16_t rows_of_two[VENDORS]; /* prefixes of two bytes, which any third byte may follow */
static size_t rows_of_two_n;
static uint16_t
	rows_behind[VENDORS]; /* prefixes that end a word: the key's own word may be the first long enough to be looked at */
static size_t rows_behind_n;
static uint32_t behind_filter[FILTER_ENTRIES]; /* by the last four bytes of these */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t last_four(const uint8_t *end)
{
	return (uint32_t)end[-1] | (uint32_t)end[-2] << 8 | (uint32_t)end[-3] << 16 | (uint32_t)end[-4] << 24;
}

/* These three bytes, and any that may stand behind the row's prefix. */
static void add_beginning(size_t row, uint32_t three)
{
	for (uint32_t c = 0; c < 256; c++) {
		if (in_alphabet(vendors[row].alphabet, (uint8_t)c))
			filter_add(vendor_filter, three, c);
	}
}

static void build(void)
{
	filter_add_three(vendor_filter, (uint32_t)'e' | (uint32_t)'y' << 8 | (uint32_t)'J' << 16);
	for (size_t i = 0; plain_base64_start(i) != 0; i++) {
		filter_add_three(vendor_filter, plain_base64_start(i));
		filter_add_three(base64_filter, plain_base64_start(i));
	}
	for (uint16_t i = 0; i < (uint16_t)VENDORS; i++) {
		const uint8_t *p = (const uint8_t *)vendors[i].prefix;
		const uint8_t *end = p + vendors[i].len;
		if (end[-1] == '/' || end[-1] == '~') {
			rows_behind[rows_behind_n++] = i;
			filter_add(behind_filter, last_four(end) & UINT32_C(0xffffff), last_four(end) >> 24);
		}
		if (p[2] == 0) {
			rows_of_two[rows_of_two_n++] = i;
			for (uint32_t c = 0; c < 256; c++) {
				if (in_alphabet(vendors[i].alphabet, (uint8_t)c))
					add_beginning(i, (uint32_t)p[0] | (uint32_t)p[1] << 8 | c << 16);
			}
		} else {
			lookup_put(&by_prefix, lookup_slot(p[0], p[1], p[2]), i);
			uint32_t three = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
			if (p[3] == 0)
				add_beginning(i, three);
			else
				filter_add(vendor_filter, three, p[3]);
		}
	}
}

void vendor_prepare(void)
{
	(void)pthread_once(&once, build);
}

static bool all_digits(const uint8_t *v, size_t n)
{
	size_t i = 0;
	while (i < n && is_digit(v[i]))
		i++;
	return i == n;
}

/* Capitals, small letters and digits: where a prefix is short, words of programs are to be told apart. */
static bool of_all_cases(const uint8_t *v, size_t n)
{
	size_t upper = 0, small = 0, digits = 0;
	for (size_t i = 0; i < n; i++) {
		upper += is_upper(v[i]);
		small += is_lower(v[i]);
		digits += is_digit(v[i]);
	}
	return upper > 0 && small > 0 && digits > 0;
}

/* What the table does not say of a kind. */
static bool detail_holds(const struct vendor *v, const uint8_t *key, size_t len)
{
	size_t prefix = v->len;
	const uint8_t *body = key + prefix;
	size_t n = len - prefix;
	switch (v->entity) {
	case ENTITY_SENDGRID_KEY:
		return n == 66 && memchr(body, '.', n) == body + 22;
	case ENTITY_AIRTABLE_TOKEN:
		return body[14] == '.';
	case ENTITY_DYNATRACE_TOKEN:
		return body[n - 65] == '.'; /* the public part, then the secret one of 64 */
	case ENTITY_INFISICAL_TOKEN:
	case ENTITY_VOICEFLOW_KEY:
		return body[24] == '.';
	case ENTITY_ZOHO_TOKEN:
		return body[32] == '.';
	case ENTITY_RESEND_KEY:
		return body[8] == '_';
	case ENTITY_COCKROACH_KEY:
		return body[22] == '_';
	case ENTITY_CLICKUP_TOKEN:
		/* the user's number, then 32 letters */
		return body[n - 33] == '_' && all_digits(body, n - 33);
	case ENTITY_VAULT_TOKEN:
		return prefix > 2 || of_all_cases(body, n);
	case ENTITY_AKAMAI_TOKEN:
		return body[16] == '-';
	case ENTITY_CLOSECRM_KEY:
		return memchr(body, '.', n) == body + n / 2 && of_all_cases(body, n);
	case ENTITY_MOLLIE_KEY:
	case ENTITY_GOCARDLESS_TOKEN:
	case ENTITY_FIREWORKS_KEY:
	case ENTITY_BACKBLAZE_KEY:
	case ENTITY_TELNYX_KEY:
	case ENTITY_ADYEN_KEY:
	case ENTITY_BRAVE_KEY:
		return of_all_cases(body, n);
	case ENTITY_LAUNCHDARKLY_KEY:
		return body[8] == '-' && body[13] == '-' && body[18] == '-' && body[23] == '-';
	case ENTITY_SLACK_TOKEN: {
		/* every one has numbers in it: of the workspace, the time or the secret itself */
		size_t digits = 0;
		for (size_t i = 0; i < n; i++)
			digits += is_digit(body[i]);
		return digits >= 3;
	}
	case ENTITY_AUTHRESS_KEY:
		return memmem(body, n, ".acc_", 5) != NULL || memmem(body, n, ".acc-", 5) != NULL;
	case ENTITY_JWT: {
		/* a token that was encoded once more */
		uint8_t inner[48];
		size_t seen = base64_decode(key, sizeof(inner) / 3 * 4, inner, sizeof(inner));
		return seen > 3 && memcmp(inner, "eyJ", 3) == 0;
	}
	case ENTITY_FIREBASE_KEY:
		return body[7] == ':' && memcmp(body + 8, "APA91b", 6) == 0;
	case ENTITY_SALESFORCE_TOKEN:
		return body[12] == '!';
	default:
		return true;
	}
}

static bool names_a_picture(const struct text *t, size_t at)
{
	static const char *const ends[] = {"png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "html"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (text_is(t, at, ends[i]) && !is_word(text_at(t, at + strlen(ends[i]))))
			return true;
	}
	return false;
}

/* A prefix that is a word of other names, too: "billing-api-…", "cache-key-…". */
static bool may_end_a_name(enum entity_id entity)
{
	return entity == ENTITY_MAILGUN_KEY || entity == ENTITY_LAUNCHDARKLY_KEY || entity == ENTITY_STATSIG_KEY ||
	       entity == ENTITY_STYTCH_SECRET || entity == ENTITY_LOB_KEY || entity == ENTITY_MOLLIE_KEY ||
	       entity == ENTITY_TWITCH_KEY;
}

static bool row_at(const struct text *t, size_t at, const struct vendor *v, struct span *ret)
{
	size_t prefix = v->len, i = at + prefix;
	if (i > t->len || memcmp(t->bytes + at, v->prefix, prefix) != 0)
		return false;
	size_t stop = t->len - i < v->max ? t->len : i + v->max;
	while (i < stop && in_alphabet(v->alphabet, t->bytes[i]))
		i++;
	while (v->alphabet >= DOTTED && i > at + prefix &&
	       (t->bytes[i - 1] == '.' || t->bytes[i - 1] == ':' || t->bytes[i - 1] == '/' || t->bytes[i - 1] == '!'))
		i--;
	size_t n = i - at - prefix;
	uint8_t after = text_at(t, i);
	uint8_t before = text_at(t, at - 1);
	if ((before == '-' || before == '.') && may_end_a_name(v->entity))
		return false;
	if (n < v->min || is_word(after) || !detail_holds(v, t->bytes + at, i - at))
		return false;
	/* the name of a file: logo.ico-7a38…0c.png */
	if (after == '.' && names_a_picture(t, i + 1))
		return false;
	/* who has the checksum right is one, whatever it looks like; the older ones have none, and need to look random */
	if (v->entity == ENTITY_GITHUB_TOKEN && prefix == 4 && n == 36) {
		*ret = (struct span){at, i};
		if (github_checksum_holds(t->bytes + at + prefix))
			return true;
		if (entropy(t->bytes + at + prefix, n) < 3.7)
			return false;
	}
	/* a value of random letters: not a name, not a documentation example, not a mask */
	if (is_placeholder(t->bytes + at, i - at) || entropy(t->bytes + at + prefix, n) < (n < 16 ? 2.0 : 2.6))
		return false;
	*ret = (struct span){at, i};
	return true;
}

bool vendor_at(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	if (t->len - at < 3 || is_alnum(text_at(t, at - 1)))
		return false;
	const uint8_t *p = t->bytes + at;
	struct span span, best = {0};
	for (uint16_t row = by_prefix.head[lookup_slot(p[0], p[1], p[2])]; row != 0; row = by_prefix.next[row - 1]) {
		if (row_at(t, at, &vendors[row - 1], &span) && span.end > best.end) {
			best = span;
			*ret_entity = vendors[row - 1].entity;
		}
	}
	for (size_t i = 0; i < rows_of_two_n && best.end == 0; i++) {
		if (row_at(t, at, &vendors[rows_of_two[i]], &span)) {
			best = span;
			*ret_entity = vendors[rows_of_two[i]].entity;
		}
	}
	*ret = best;
	return best.end != 0;
}

static bool behind_one(uint32_t four)
{
	return filter_has(behind_filter, four & UINT32_C(0xffffff), four >> 24);
}

bool vendor_behind(const struct text *t, size_t at, struct span *ret, enum entity_id *ret_entity)
{
	if (at < 4 || !behind_one(last_four(t->bytes + at)))
		return false;
	for (size_t i = 0; i < rows_behind_n; i++) {
		const struct vendor *v = &vendors[rows_behind[i]];
		size_t prefix = v->len;
		if (at >= prefix && row_at(t, at - prefix, v, ret)) {
			*ret_entity = v->entity;
			return true;
		}
	}
	return false;
}

bool vendor_begins(const struct text *t, size_t at)
{
	if (at > t->len || t->len - at < 3)
		return false;
	const uint8_t *p = t->bytes + at;
	for (uint16_t row = by_prefix.head[lookup_slot(p[0], p[1], p[2])]; row != 0; row = by_prefix.next[row - 1]) {
		const struct vendor *v = &vendors[row - 1];
		size_t prefix = v->len, i = at + prefix;
		if (i > t->len || memcmp(p, v->prefix, prefix) != 0)
			continue;
		while (i < t->len && in_alphabet(v->alphabet, t->bytes[i]))
			i++;
		if (i == t->len && i - at - prefix <= v->max)
			return true;
	}
	return false;
}
