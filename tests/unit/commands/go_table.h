/* A table of a Go program's functions (.gopclntab) for tests: names only, each function 32 bytes long from GO_TEXT on. */
#ifndef GAPSCOPE_TESTS_UNIT_COMMANDS_GO_TABLE_H
#define GAPSCOPE_TESTS_UNIT_COMMANDS_GO_TABLE_H

#include <string.h>

#include "ingest/gopclntab.h"
#include "test.h"

#define GO_TEXT 0x401000U
#define GO_FUNCTION_BYTES 32U
#define GO_HEADER_BYTES 72U
#define GO_FUNC_BYTES 40U

/* `names`: NULL-terminated, 64 at most. */
static inline struct gopclntab *go_table(const char *const *names)
{
	static uint8_t bytes[16384];
	const uint8_t head[8] = {0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8};
	uint64_t words[8] = {0};
	struct gopclntab *t = NULL;
	size_t n = 0, at = GO_HEADER_BYTES, functab;

	memset(bytes, 0, sizeof(bytes));
	while (names[n] != NULL)
		n++;
	assert_true(n <= 64);
	functab = at;
	at += 8 * n + 4;
	for (uint32_t i = 0; i <= n; i++) {
		const uint32_t entry = i * GO_FUNCTION_BYTES;

		memcpy(bytes + functab + 8 * (size_t)i, &entry, sizeof(entry));
	}
	words[0] = n;
	words[2] = GO_TEXT;
	words[3] = functab + 8 * n + 4 + GO_FUNC_BYTES * n; /* names */
	words[4] = words[5] = words[6] = at;
	words[7] = functab;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + 8, words, sizeof(words));
	size_t name = 0;
	for (size_t i = 0; i < n; i++, at += GO_FUNC_BYTES) {
		const uint32_t func = (uint32_t)(at - functab), offset = (uint32_t)name;

		memcpy(bytes + functab + 8 * i + 4, &func, sizeof(func));
		memcpy(bytes + at + 4, &offset, sizeof(offset));
		assert_true(words[3] + name + strlen(names[i]) < sizeof(bytes));
		memcpy(bytes + words[3] + name, names[i], strlen(names[i]));
		name += strlen(names[i]) + 1;
	}
	assert_int_equal(gopclntab_read(bytes, sizeof(bytes), 0, &t), 0);
	return t;
}

/* An address in the function of this number. */
static inline uint64_t go_address(size_t function)
{
	return GO_TEXT + function * GO_FUNCTION_BYTES + 4;
}

#endif
