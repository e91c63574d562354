/*
 * Fuzzer of the scanner: any bytes give matches that are in order, inside the text and do not overlap; redaction leaves the length alone
 * and covers the same spans.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const uint8_t *text;
	uint8_t *covered;
	size_t len, last_end, n;
};

static void check(void *ctx, const struct scan_match *m)
{
	struct seen *s = ctx;
	char sample[64];
	if (m->start < s->last_end || m->start >= m->end || m->end > s->len || m->entity == NULL || m->entity->name == NULL)
		abort();
	s->last_end = m->end;
	s->n++;
	scan_mask(m->entity, s->text + m->start, m->end - m->start, sample, sizeof(sample));
	if (strnlen(sample, sizeof(sample)) == sizeof(sample))
		abort();
	memset(s->covered + m->start, '*', m->end - m->start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scanner *scanner;
	static const uint8_t key[16];
	if (scanner == NULL)
		scanner = scanner_new(key);
	if (scanner == NULL || size > 1U << 16)
		return 0;
	uint8_t *covered = malloc(size + 1), *redacted = malloc(size + 1);
	if (covered != NULL && redacted != NULL) {
		memcpy(covered, data, size);
		memcpy(redacted, data, size);
		struct seen s = {.text = data, .covered = covered, .len = size};
		size_t told = scan_text(scanner, data, size, check, &s);
		size_t again = scan_text(scanner, data, size, NULL, NULL);
		size_t n = scan_redact(scanner, redacted, size);
		if (told != s.n || again != told || n != told || memcmp(covered, redacted, size) != 0)
			abort();
	}
	free(covered);
	free(redacted);
	return 0;
}
