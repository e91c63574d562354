/*
 * What the scanner finds in a text, as text: "PASSWORD=hunter2!;EMAIL=bob@acme.io". Used by most tests of scan.
 */
#ifndef GAPSCOPE_TESTS_SCAN_FIND_H
#define GAPSCOPE_TESTS_SCAN_FIND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scan/scan.h"

struct find {
	const char *text;
	char *out;
	size_t size, n;
};

static inline void find_add(void *ctx, const struct scan_match *m)
{
	struct find *f = ctx;
	int r = snprintf(f->out + f->n, f->size - f->n, "%s%s=%.*s", f->n > 0 ? ";" : "", m->entity->name, (int)(m->end - m->start),
			 f->text + m->start);
	assert_true(r > 0 && (size_t)r < f->size - f->n);
	f->n += (size_t)r;
}

/* What is found in the text; valid until the next call. */
static inline const char *found(const char *text)
{
	static char out[8192];
	static const uint8_t key[16] = "0123456789abcde";
	struct find f = {.text = text, .out = out, .size = sizeof(out)};
	struct scanner *s = scanner_new(key);
	assert_non_null(s);
	out[0] = 0;
	size_t n = strlen(text), told = scan_text(s, (const uint8_t *)text, n, find_add, &f);
	assert_true((told == 0) == (f.n == 0));
	scanner_free(s);
	return out;
}

/* Rows of text and what is to be found in it, "" for nothing. */
struct find_row {
	const char *text, *want;
};

static inline void find_all(const struct find_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = found(rows[i].text);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("\"%s\": found \"%s\", not \"%s\"", rows[i].text, got, rows[i].want);
	}
}

#define FIND_ALL(rows) find_all(rows, sizeof(rows) / sizeof(*(rows)))

#endif
