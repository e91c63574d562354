/* Slots of line templates: see learn.h. */
#include "ingest/learn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/limits.h"

#define SHAPE_MAX 32U  /* a longer match is no number */
#define DIGITS_MIN 7U  /* of fewer nobody takes chance for a check */
#define LETTERS_MAX 2U /* "12345678Z" */
#define WORD_BACK 32U  /* bytes in front of the value in which its word is looked for */
#define SITE_SLOTS 8U  /* of one call site */
#define ENOUGH 256U    /* values; then a slot is known for good */
#define TOLD_EACH 16U  /* the first counts are told one by one, later ones when they have doubled */
#define FNV_START 14695981039346656037U
#define FNV_PRIME 1099511628211U
#define PASSES_MAX 32U /* matches of one line that are told apart */

struct slot_of {
	uint64_t id;
	uint64_t word; /* hash of what stands in front */
	char shape[SHAPE_MAX + 1];
	uint32_t len;
	uint32_t values, passed, equal_steps;
	uint32_t told; /* values, when they were last told */
	uint32_t tail, step;
	bool has_tail, has_step;
};

struct site {
	uint32_t stack;
	uint32_t slots_n;
	struct slot_of slots[SITE_SLOTS];
	UT_hash_handle hh;
};

struct learn {
	struct counters *counters;
	struct site *sites;
	uint32_t next_id;
	uint32_t open;             /* slots that have not seen ENOUGH */
	size_t passes[PASSES_MAX]; /* where matches of the present line begin */
	size_t passes_n;
};

struct learn *learn_new(struct counters *counters)
{
	struct learn *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->counters = counters;
	return l;
}

void learn_free(struct learn *l)
{
	struct site *s, *next;

	if (l == NULL)
		return;
	HASH_ITER (hh, l->sites, s, next) {
		HASH_DEL(l->sites, s);
		free(s);
	}
	free(l);
}

static char class_of(uint8_t c)
{
	if (isdigit(c))
		return '9';
	return isalpha(c) ? 'a' : (char)c;
}

/* The shape of a value that is a number: '9' for digits, 'a' for letters, separators as they are. False if it is none. */
static bool shape_of(const uint8_t *value, size_t len, char shape[SHAPE_MAX + 1])
{
	size_t digits = 0, letters = 0;

	if (len > SHAPE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		shape[i] = class_of(value[i]);
		digits += shape[i] == '9';
		letters += shape[i] == 'a';
		if (shape[i] != '9' && shape[i] != 'a' && strchr(" -./+", value[i]) == NULL)
			return false;
	}
	shape[len] = '\0';
	return digits >= DIGITS_MIN && letters <= LETTERS_MAX;
}

/* What stands in front of a value: the nearest word, and what is between, with numbers left out. */
static uint64_t word_before(const uint8_t *line, size_t at)
{
	const size_t stop = at > WORD_BACK ? at - WORD_BACK : 0;
	uint64_t h = FNV_START;
	bool in_word = false;

	while (at > stop) {
		const uint8_t c = line[--at];
		const bool letter = isalpha(c) || c == '_';

		if (in_word && !letter)
			break;
		in_word = letter;
		if (!isdigit(c))
			h = (h ^ c) * FNV_PRIME;
	}
	return h;
}

/* The same for the same place of a line, from whatever call site. */
static uint64_t template_of(uint64_t word, const char *shape)
{
	for (; *shape != '\0'; shape++)
		word = (word ^ (uint8_t)*shape) * FNV_PRIME;
	return (word ^ word >> 32) & UINT32_MAX;
}

static struct site *site_find(const struct learn *l, uint32_t stack)
{
	struct site *s = NULL;

	if (l->sites != NULL)
		HASH_FIND(hh, l->sites, &stack, sizeof(stack), s);
	return s;
}

static struct site *site_get(struct learn *l, uint32_t stack)
{
	struct site *s = site_find(l, stack);

	if (s != NULL)
		return s;
	if (HASH_COUNT(l->sites) >= LIMIT_LEARN_SITES) {
		l->counters->limit[LIMIT_REACHED_SLOTS]++;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->stack = stack;
	HASH_ADD(hh, l->sites, stack, sizeof(s->stack), s);
	return s;
}

uint64_t learn_match(struct learn *l, uint32_t stack, const uint8_t *line, size_t start, size_t end)
{
	char shape[SHAPE_MAX + 1];
	struct slot_of *slot;
	struct site *s;

	if (!shape_of(line + start, end - start, shape) || (s = site_get(l, stack)) == NULL)
		return 0;
	if (l->passes_n < PASSES_MAX)
		l->passes[l->passes_n++] = start;

	const uint64_t word = word_before(line, start);

	for (uint32_t i = 0; i < s->slots_n; i++) {
		slot = &s->slots[i];
		if (slot->word == word && strcmp(slot->shape, shape) == 0)
			return slot->id;
	}
	if (s->slots_n == SITE_SLOTS) {
		l->counters->limit[LIMIT_REACHED_SLOTS]++;
		return 0;
	}
	slot = &s->slots[s->slots_n++];
	l->open++;
	*slot = (struct slot_of){.id = template_of(word, shape) << 32 | ++l->next_id, .word = word, .len = (uint32_t)(end - start)};
	memcpy(slot->shape, shape, sizeof(shape));
	return slot->id;
}

bool learn_any(const struct learn *l)
{
	return l->open > 0 || l->passes_n > 0;
}

static void tell(struct slot_of *s, learn_fn fn, void *ctx)
{
	struct event e = {
		.id = WIRE_SLOT, .fd = -1, .a0 = s->id, .a1 = UINT64_C(0x100000000) * s->values + s->passed, .ret = s->equal_steps};

	s->told = s->values;
	fn(ctx, &e);
}

static uint32_t last_digits(const uint8_t *value, size_t len)
{
	uint32_t tail = 0, unit = 1;

	for (size_t i = len; i > 0 && unit < 1000; i--) {
		if (!isdigit(value[i - 1]))
			continue;
		tail += unit * (uint32_t)(value[i - 1] - '0');
		unit *= 10;
	}
	return tail;
}

/* One more value of the slot. The same one again says nothing new. */
static void count(struct learn *l, struct slot_of *s, const uint8_t *value, bool passed, learn_fn fn, void *ctx)
{
	const uint32_t tail = last_digits(value, s->len);

	if (s->has_tail && tail == s->tail)
		return;
	if (s->has_tail) {
		const uint32_t step = (tail + 1000 - s->tail) % 1000;

		s->equal_steps += s->has_step && step == s->step;
		s->step = step;
		s->has_step = true;
	}
	s->tail = tail;
	s->has_tail = true;
	s->values++;
	l->open -= s->values == ENOUGH;
	s->passed += passed;
	if (s->values <= TOLD_EACH || s->values >= 2 * s->told)
		tell(s, fn, ctx);
}

static bool fits(const struct slot_of *s, const uint8_t *line, size_t len, size_t at)
{
	if (at + s->len > len || (at + s->len < len && isalnum(line[at + s->len])))
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (class_of(line[at + i]) != s->shape[i])
			return false;
	return word_before(line, at) == s->word;
}

static bool passed_at(const struct learn *l, size_t at)
{
	for (size_t i = 0; i < l->passes_n; i++)
		if (l->passes[i] == at)
			return true;
	return false;
}

void learn_line(struct learn *l, uint32_t stack, const uint8_t *line, size_t len, learn_fn fn, void *ctx)
{
	struct site *s = site_find(l, stack);
	/* A line with more matches than can be told apart would count some as failed. */
	const bool whole = l->passes_n < PASSES_MAX;

	for (size_t at = 0; s != NULL && whole && at < len; at++) {
		if ((!isdigit(line[at]) && line[at] != '+' && !isalpha(line[at])) || (at > 0 && isalnum(line[at - 1])))
			continue;
		for (uint32_t i = 0; i < s->slots_n; i++) {
			struct slot_of *slot = &s->slots[i];

			if (slot->values < ENOUGH && class_of(line[at]) == slot->shape[0] && fits(slot, line, len, at)) {
				count(l, slot, line + at, passed_at(l, at), fn, ctx);
				at += slot->len - 1;
				break;
			}
		}
	}
	learn_forget(l);
}

void learn_forget(struct learn *l)
{
	l->passes_n = 0;
}

void learn_tell_all(struct learn *l, learn_fn fn, void *ctx)
{
	for (struct site *s = l->sites; s != NULL; s = s->hh.next)
		for (uint32_t i = 0; i < s->slots_n; i++)
			if (s->slots[i].told != s->slots[i].values)
				tell(&s->slots[i], fn, ctx);
}
