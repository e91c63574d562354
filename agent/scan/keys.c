/*
 * Keys that mean something (keys.def), looked up by their last three letters before a '=', ':' or space. The tables are built once
 * and only read after, by any thread.
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

int keys_kind_before(const struct text *t, size_t sep, struct keyname *ret_name)
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

int keys_kind_at(const struct text *t, size_t sep, struct keyname *ret_name)
{
	size_t end = sep;
	while (end > 0 && sep - end < KEY_COLUMN && t->bytes[end - 1] == ' ')
		end--;
	int kind = keys_kind_before(t, end, ret_name);
	for (unsigned int digits = 0; kind < 0 && digits < 2 && is_digit(text_at(t, end - 1)); digits++)
		kind = keys_kind_before(t, --end, ret_name);
	return kind;
}
