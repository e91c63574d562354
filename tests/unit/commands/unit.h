/*
 * cmocka with the headers that it wants, and a folder of its own for a test.
 */
#ifndef UNIT_COMMANDS_UNIT_H
#define UNIT_COMMANDS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})
#define COUNT(words) ((int)(sizeof(words) / sizeof((words)[0]) - 1))

/* What a function prints: fn is given a stream; the text is the caller's to free. */
static inline char *printed(void (*fn)(FILE *out))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fn(out);
	fclose(out);
	return text;
}

#endif
