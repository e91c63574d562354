/* Fuzzes the reading of SQL: whatever it is, texts end, and a literal that was put in front is not told. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char front[] = "SELECT 'zqxjkv' ";
	char *text = malloc(size + sizeof(front));
	struct sql q;

	if (!text)
		abort();
	memcpy(text, front, sizeof(front) - 1);
	memcpy(text + sizeof(front) - 1, data, size);
	for (unsigned int i = 0; i < 2; i++) {
		sql_read((const uint8_t *)text, size + sizeof(front) - 1, i ? SQL_MYSQL : SQL_STANDARD, &q);
		if (strnlen(q.text, sizeof(q.text)) == sizeof(q.text) ||
		    strnlen(q.summary, sizeof(q.summary)) == sizeof(q.summary) || strncmp(q.text, "SELECT ?", 8) != 0)
			abort();
	}
	free(text);
	return 0;
}
