/*
 * Lists of SQL that was logged: the values of an INSERT, whose keys stand in a list of their own, "(id, password) VALUES (7, 'hunter2')", and
 * those that a column is looked up in, "cpf IN ('123', '456')".
 */
#include "scan/keys.h"
#include "scan/validators.h"

#define COLUMNS_BACK 480U /* what the scanner's matches may lie behind a place (LOOKBACK of scan.c) */
#define VALUES_AHEAD 4096U
#define COLUMNS_MAX 64U

struct columns {
	int kind[COLUMNS_MAX];
	struct keyname name[COLUMNS_MAX];
	size_t n;
	bool any; /* is one of them of a kind? */
};

/* The list that ends right before `end`. */
static bool columns_before(const struct text *t, size_t end, struct columns *ret)
{
	size_t low = end > COLUMNS_BACK ? end - COLUMNS_BACK : 0, open = end;
	while (open > low && t->bytes[open - 1] != '(' && t->bytes[open - 1] != '\n' && t->bytes[open - 1] != '=')
		open--;
	if (open == low || t->bytes[open - 1] != '(')
		return false;
	ret->n = 0;
	ret->any = false;
	for (size_t i = open; i < end && ret->n < COLUMNS_MAX; i++) {
		if (t->bytes[i] != ',' && t->bytes[i] != ')')
			continue;
		ret->kind[ret->n] = keys_kind_before(t, i, &ret->name[ret->n]);
		ret->any = ret->any || ret->kind[ret->n] >= 0;
		ret->n++;
	}
	return ret->any;
}

/* One row of values from its '(' on; returns where it ends, 0 if it has no end. */
static size_t row_at(const struct text *t, size_t open, size_t stop, const struct columns *c, struct matches *m)
{
	size_t column = 0, from = open;
	uint8_t quote = 0;
	for (size_t i = open + 1; i < stop; i++) {
		uint8_t b = t->bytes[i];
		if (quote != 0) {
			quote = b == quote && t->bytes[i - 1] != '\\' ? 0 : quote;
			continue;
		}
		if (b == '\'' || b == '"') {
			quote = b;
		} else if (b == ',' || b == ')') {
			if (column < c->n && c->kind[column] >= 0)
				value_named_at(t, from, c->kind[column], &c->name[column], m);
			column++;
			from = i;
			if (b == ')')
				return i + 1;
		}
	}
	return 0;
}

void insert_at(const struct text *t, size_t values, size_t sep, struct matches *m)
{
	struct columns columns;
	size_t close = values, at = sep, stop = t->len - sep < VALUES_AHEAD ? t->len : sep + VALUES_AHEAD;
	while (close > 0 && values - close < 4 && t->bytes[close - 1] == ' ')
		close--;
	if (text_at(t, close - 1) != ')' || !columns_before(t, close, &columns))
		return;
	for (;;) {
		while (at < stop && (t->bytes[at] == ' ' || t->bytes[at] == ','))
			at++;
		if (at >= stop || t->bytes[at] != '(')
			return;
		at = row_at(t, at, stop, &columns, m);
		if (at == 0)
			return;
	}
}

void in_list_at(const struct text *t, size_t open, int kind, const struct keyname *name, struct matches *m)
{
	size_t stop = t->len - open < VALUES_AHEAD ? t->len : open + VALUES_AHEAD, first = open + 1;
	uint8_t quote = 0;
	while (text_at(t, first) == ' ')
		first++;
	if (!is_quote(text_at(t, first)) && !is_digit(text_at(t, first)))
		return;
	value_named_at(t, open, kind, name, m);
	for (size_t i = first; i < stop && t->bytes[i] != '\n'; i++) {
		uint8_t b = t->bytes[i];
		if (quote != 0)
			quote = b == quote && t->bytes[i - 1] != '\\' ? 0 : quote;
		else if (is_quote(b))
			quote = b;
		else if (b == ',')
			value_named_at(t, i, kind, name, m);
		else if (b == ')')
			return;
	}
}
