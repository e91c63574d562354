/*
 * Keys that mean something (keys.def, keys_languages.def), looked up by their last three letters before a '=', ':' or space. The tables are
 * built once and only read after, by any thread.
 */
#include "scan/keys.h"

#include <pthread.h>
#include <string.h>

#include "scan/lookup.h"
#include "scan/prefilter.h"
#include "scan/validators.h"

static const struct key {
	const char *words;
	uint8_t len;
	int kind;
} keys[] = {
#define KEY(words, kind) {words, sizeof(words) - 1, KIND_##kind},
#include "scan/keys.def"
#include "scan/keys_languages.def"
#undef KEY
};

#define ESCAPES_MAX 9U /* backslashes, and the quote that they escape, of JSON in JSON in JSON */

#define LONG_WORD 8U
#define NAMED_BACK 128U /* from a value of YAML to the name on the line before */

#define KEYS (sizeof(keys) / sizeof(*keys))

_Static_assert(KEYS < LOOKUP_ROWS, "LOOKUP_ROWS");

static struct lookup by_end;
/* Of each key its last letters, at most eight, the very last one lowest, and which bytes they are. */
static uint64_t last_letters[KEYS], last_mask[KEYS];
uint32_t keyvalue_filter[FILTER_ENTRIES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* As four_folded() has them: what a letter of UTF-8 is made of changes by that. */
static void add_ending(uint8_t fourth, uint8_t third, uint8_t second, uint8_t last)
{
	uint32_t three = (uint32_t)third | (uint32_t)second << 8 | (uint32_t)last << 16;
	filter_add(keyvalue_filter, three | UINT32_C(0x202020), fourth | 0x20);
}

/* How the last four bytes of a key may be written: together, or with one join before its last two or three. Before keys of three letters
 * anything may stand. */
static void add_to_filter(const char *last, size_t n, bool one_word)
{
	static const char joins[] = "_-. /";
	const uint8_t *end = (const uint8_t *)last + n;
	if (n == 3)
		filter_add_three(keyvalue_filter, (uint32_t)end[-3] | (uint32_t)end[-2] << 8 | (uint32_t)end[-1] << 16);
	else
		add_ending(end[-4], end[-3], end[-2], end[-1]);
	/* scripts beyond ASCII join their words in other places */
	for (size_t i = 0; joins[i] != 0 && !one_word && end[-1] < 0x80; i++) {
		uint8_t j = (uint8_t)joins[i] | 0x20;
		add_ending(end[-3], j, end[-2], end[-1]);
		if (n > 3)
			add_ending(j, end[-3], end[-2], end[-1]);
	}
}

/* What has a number: an id, a card, an account, a telephone. */
static bool is_numbered(int kind)
{
	return kind >= KIND_ENTITY || kind == KIND_CARD || kind == KIND_IBAN || kind == KIND_PHONE;
}

/* Of what may be told in a sentence, "the cpf is 123": values whose form leaves no doubt. */
static bool may_be_told(int kind)
{
	return is_numbered(kind) || kind == KIND_CVV || kind == KIND_BIRTH || kind == KIND_GEO || kind == KIND_HEALTH ||
	       kind == KIND_CLIENT_IP || kind == KIND_SECRET || kind == KIND_AWS_SECRET || kind == KIND_SESSION ||
	       kind == KIND_PASSWORD;
}

static void build(void)
{
	for (uint16_t i = 0; i < (uint16_t)KEYS; i++) {
		size_t n = keys[i].len;
		const uint8_t *end = (const uint8_t *)keys[i].words + n - 3;
		lookup_put(&by_end, lookup_slot(end[0], end[1], end[2]), i);
		for (size_t k = 0; k < n && k < 8; k++) {
			last_letters[i] |= (uint64_t)(uint8_t)keys[i].words[n - 1 - k] << 8 * k;
			last_mask[i] |= UINT64_C(0xff) << 8 * k;
		}
		add_to_filter(keys[i].words, n, keys[i].kind == KIND_OWNER);
		/* "the cpf is 123", "cpf IN ('123')" */
		if (may_be_told(keys[i].kind) || keys[i].kind == KIND_NUMBER) {
			add_ending(end[2], ' ', 'i', 's');
			add_ending(end[2], ' ', 'i', 'n');
		}
	}
	/* user%5Bpassword%5D= */
	filter_add_three(keyvalue_filter, (uint32_t)'%' | (uint32_t)'5' << 8 | (uint32_t)'d' << 16);
}

void keyvalue_prepare(void)
{
	(void)pthread_once(&once, build);
}

/* Behind the blanks of a column, or with a number at its end. */
static bool may_end_before(const struct text *t, size_t sep)
{
	for (unsigned int blanks = 0; sep > 4 && blanks < KEY_COLUMN && t->bytes[sep - 1] == ' '; blanks++)
		sep--;
	if (sep < 5 || keyvalue_ends(t->bytes + sep, sep))
		return sep > 4;
	for (unsigned int digits = 0; digits < 2 && is_digit(t->bytes[sep - 1]); digits++)
		sep--;
	if (!is_alnum(t->bytes[sep - 1]))
		sep--;
	return keyvalue_ends(t->bytes + sep, sep);
}

bool keyvalue_may_end(const struct text *t, size_t sep)
{
	const uint8_t *p = t->bytes + sep;
	size_t n = sep;
	/* quotes and brackets between the key and its separator; a key may end in a letter beyond ASCII */
	for (unsigned int skipped = 0; n > 0 && !is_alnum(p[-1]) && (skipped < 3 || (p[-1] == '\\' && skipped < ESCAPES_MAX));
	     skipped++) {
		if (p[-1] >= 0x80 && keyvalue_ends(p, n))
			return true;
		p--;
		n--;
	}
	if (keyvalue_ends(p, n))
		return true;
	if (n < 5)
		return false;
	bool numbered = is_digit(p[-1]) && (is_alpha(p[-2]) || is_alpha(p[-3]));
	return (numbered || p[-1] == ' ') && may_end_before(t, n);
}

/* The last eight letters or digits before `sep`, by bytes, the very last one lowest, without the separators among them. */
static uint64_t letters_before(const struct text *t, size_t sep)
{
	uint64_t letters = 0;
	/* nothing stands before the text's beginning, which is where a place less one may be */
	if (sep > t->len)
		return 0;
	for (unsigned int at = 0, skipped = 0; at < 64 && sep > 0;) {
		uint8_t c = t->bytes[sep - 1];
		if (is_alnum(c)) {
			letters |= (uint64_t)lower(c) << at;
			at += 8;
			sep--;
			continue;
		}
		size_t wide = c < 0x80 ? 0 : keyname_wide_letter(t, sep);
		for (size_t k = 0; k < wide && at < 64; k++, at += 8)
			letters |= (uint64_t)t->bytes[--sep] << at;
		if (wide > 0)
			continue;
		if (c == 0 || c == '\n' || ++skipped > 6)
			break;
		sep--;
	}
	return letters;
}

/* Slot of keys that end as these letters do; LOOKUP_SLOTS if none does. Most words that only end alike leave here. */
static uint32_t slot_of(uint64_t letters)
{
	uint32_t slot = lookup_slot((uint8_t)(letters >> 16), (uint8_t)(letters >> 8), (uint8_t)letters);
	for (uint16_t row = by_end.head[slot]; row != 0; row = by_end.next[row - 1]) {
		if (((letters ^ last_letters[row - 1]) & last_mask[row - 1]) == 0)
			return slot;
	}
	return LOOKUP_SLOTS;
}

#define EACH_BYTE(n) (UINT64_C(0x0101010101010101) * (n))

/* Of eight bytes, the ones that are no letters or digits: their highest bits. */
static uint64_t no_alnum(uint64_t bytes)
{
	uint64_t raw = bytes & EACH_BYTE(0x7f), folded = raw | EACH_BYTE(0x20);
	uint64_t alpha = (folded + EACH_BYTE(0x80 - 'a')) & ~(folded + EACH_BYTE(0x7f - 'z'));
	uint64_t digit = (raw + EACH_BYTE(0x80 - '0')) & ~(raw + EACH_BYTE(0x7f - '9'));
	return ~((alpha | digit) & ~bytes) & EACH_BYTE(0x80);
}

/* The eight bytes before `sep`, the last one lowest. */
static uint64_t eight_before(const struct text *t, size_t sep)
{
	uint64_t eight;
	memcpy(&eight, t->bytes + sep - sizeof(eight), sizeof(eight));
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? eight : __builtin_bswap64(eight);
}

/* Do the letters that stand together before `sep`, or before the one sign in front of it, end as some key does? Most words that only end
 * alike in four letters leave here, before they are read letter by letter. */
static bool letters_fit(const struct text *t, size_t sep)
{
	if (sep <= 8 || sep > t->len)
		return true;
	uint64_t eight = eight_before(t, sep), other = no_alnum(eight);
	if ((other & 0x80) != 0) {
		eight = eight_before(t, sep - 1);
		other = no_alnum(eight);
	}
	unsigned int known = other != 0 ? (unsigned int)__builtin_ctzll(other) / 8 : 8;
	if (known < 3)
		return true;
	uint64_t letters = eight | EACH_BYTE(0x20), mask = UINT64_MAX >> (64 - 8 * known);
	uint32_t slot = lookup_slot((uint8_t)(letters >> 16), (uint8_t)(letters >> 8), (uint8_t)letters);
	for (uint16_t row = by_end.head[slot]; row != 0; row = by_end.next[row - 1]) {
		if (((letters ^ last_letters[row - 1]) & last_mask[row - 1] & mask) == 0)
			return true;
	}
	return false;
}

/* A word that no other one ends in, so that it may follow what is written together with it: DBPASSWORD, myaccesstoken. */
static bool is_long_word(const struct key *k)
{
	return k->len >= LONG_WORD && (k->kind == KIND_PASSWORD || k->kind == KIND_SECRET);
}

static int kind_of(const struct keyname *name, uint32_t slot, uint64_t letters, size_t *ret_len)
{
	int kind = -1;
	size_t longest = 0;
	for (uint16_t row = by_end.head[slot]; row != 0; row = by_end.next[row - 1]) {
		const struct key *k = &keys[row - 1];
		size_t n = k->len;
		if (n > longest && ((letters ^ last_letters[row - 1]) & last_mask[row - 1]) == 0 &&
		    (keyname_ends_in(name, k->words, n) || (is_long_word(k) && keyname_ends_as(name, k->words, n)))) {
			kind = k->kind;
			longest = n;
		}
	}
	*ret_len = longest;
	return kind;
}

/* Where the name ends whose value is called "value", the word at `start`: <add key="Password" value=…>, {"name": "password", "value": …}.
 * 0 if it is not there. */
static size_t named_elsewhere(const struct text *t, size_t start)
{
	size_t i = start;
	bool quoted = is_quote(text_at(t, i - 1)), comma = false;
	for (unsigned int skipped = 0; i > 0 && skipped < ESCAPES_MAX; skipped++, i--) {
		uint8_t c = t->bytes[i - 1];
		comma = comma || c == ',';
		if (c != ' ' && c != ',' && c != '\\' && !(is_quote(c) && quoted && !comma))
			break;
	}
	return i > 0 && is_quote(t->bytes[i - 1]) && quoted == comma && i < start ? i : 0;
}

/* The same of YAML, where it is the line before: "- name: DB_PASSWORD", "  value: …". */
static size_t named_above(const struct text *t, size_t start)
{
	size_t end = start, low = start > NAMED_BACK ? start - NAMED_BACK : 0;
	while (end > low && t->bytes[end - 1] == ' ')
		end--;
	if (end == low || t->bytes[end - 1] != '\n')
		return 0;
	for (end--; end > low && (t->bytes[end - 1] == ' ' || t->bytes[end - 1] == '\r' || is_quote(t->bytes[end - 1])); end--)
		;
	size_t i = end;
	while (i > low && (is_word(t->bytes[i - 1]) || t->bytes[i - 1] == '-' || t->bytes[i - 1] == '.'))
		i--;
	i -= is_quote(text_at(t, i - 1)) ? 1 : 0;
	return i > 6 && i < end && text_is(t, i - 6, "name: ") && !is_word(text_at(t, i - 7)) ? end : 0;
}

static int named_before(const struct text *t, size_t sep, struct keyname *ret_name, size_t *ret_len)
{
	uint64_t letters = letters_before(t, sep);
	uint32_t slot = slot_of(letters);
	return slot < LOOKUP_SLOTS && keyname_before(t, sep, ret_name) ? kind_of(ret_name, slot, letters, ret_len) : -1;
}

/* Where the word ends that stands before a last one of `n` letters. */
static size_t before_word(const struct text *t, size_t sep, size_t n)
{
	while (sep > 0 && !is_alnum(t->bytes[sep - 1]))
		sep--;
	while (n > 0 && sep > 0)
		n -= is_alnum(t->bytes[--sep]);
	return sep;
}

/* "cpf IN ('123', '456')" */
static bool in_list(const struct text *t, size_t sep)
{
	return sep > 3 && text_at(t, sep) == ' ' && text_at(t, sep + 1) == '(' && text_is(t, sep - 3, " in");
}

/* Is the word that begins here joined to the one before, senha_usuario, and not its neighbour in a sentence? */
static bool is_joined(const struct text *t, size_t word)
{
	return text_at(t, word - 1) != ' ';
}

static bool is_of_person(int kind)
{
	return kind == KIND_PASSWORD || kind == KIND_NAME || kind == KIND_BIRTH;
}

/* aadhaar_number, senha_usuario: the kind is that of the word before. */
static int of_word_before(const struct text *t, size_t sep, size_t len, int kind, struct keyname *ret_name)
{
	size_t end = before_word(t, sep, len), unused;
	bool joined = kind == KIND_OWNER && is_joined(t, end);
	kind = named_before(t, end, ret_name, &unused);
	return is_numbered(kind) || (joined && is_of_person(kind)) ? kind : -1;
}

int keys_kind_before(const struct text *t, size_t sep, struct keyname *ret_name)
{
	size_t len;
	if (!letters_fit(t, sep))
		return -1;
	int kind = named_before(t, sep, ret_name, &len);
	bool is = kind < 0 && sep > 3 && text_is(t, sep - 3, " is");
	if (kind < 0 && (is || in_list(t, sep))) {
		sep -= 3;
		sep -= !is && text_is(t, sep - 4, " not") ? 4 : 0;
		kind = named_before(t, sep, ret_name, &len);
		if (kind != KIND_NUMBER && kind != KIND_OWNER)
			return !is || may_be_told(kind) ? kind : -1;
	}
	if (kind == KIND_NUMBER || kind == KIND_OWNER)
		return of_word_before(t, sep, len, kind, ret_name);
	if (kind == KIND_TYPE)
		sep = before_word(t, sep, len);
	else if (kind == KIND_VALUE)
		sep = named_elsewhere(t, ret_name->start) | named_above(t, ret_name->start);
	else
		return kind;
	/* imei1 */
	for (unsigned int digits = 0; digits < 2 && is_digit(text_at(t, sep - 1)); digits++)
		sep--;
	kind = sep > 0 ? named_before(t, sep, ret_name, &len) : -1;
	if (kind == KIND_NUMBER || kind == KIND_OWNER)
		return of_word_before(t, sep, len, kind, ret_name);
	return kind == KIND_TYPE || kind == KIND_VALUE ? -1 : kind;
}

/* "user%5Bpassword%5D=": the bracket of a form's name. */
static bool closes_form_name(const struct text *t, size_t end)
{
	return end > 3 && lower(t->bytes[end - 1]) == 'd' && t->bytes[end - 2] == '5' && t->bytes[end - 3] == '%';
}

int keys_kind_at(const struct text *t, size_t sep, struct keyname *ret_name)
{
	size_t end = sep;
	/* "done in 5 ms" */
	if (text_at(t, sep - 1) == 'n' && text_at(t, sep - 2) == 'i' && text_at(t, sep - 3) == ' ' && text_at(t, sep + 1) != '(')
		return -1;
	while (end > 0 && sep - end < KEY_COLUMN && t->bytes[end - 1] == ' ')
		end--;
	end -= closes_form_name(t, end) ? 3 : 0;
	int kind = keys_kind_before(t, end, ret_name);
	/* "imei1": */
	size_t quoted = end;
	while (kind < 0 && end - quoted < ESCAPES_MAX && (is_quote(text_at(t, quoted - 1)) || text_at(t, quoted - 1) == '\\'))
		quoted--;
	if (quoted < end && is_digit(text_at(t, quoted - 1)))
		end = quoted;
	for (unsigned int digits = 0; kind < 0 && digits < 2 && is_digit(text_at(t, end - 1)); digits++)
		kind = keys_kind_before(t, --end, ret_name);
	return kind;
}
