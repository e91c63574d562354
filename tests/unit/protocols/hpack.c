/* Header blocks, from the start and from the middle on: the examples of RFC 7541, appendix C. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "protocols/hpack.h"

static char seen[1024];

static void field(void *ctx, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len)
{
	size_t used = strlen(seen);

	(void)ctx;
	snprintf(seen + used, sizeof(seen) - used, "%.*s=%.*s;", (int)name_len, (const char *)name, (int)value_len,
		 (const char *)value);
}

static void block(struct hpack *h, const char *bytes, size_t len, bool cut, const char *expect)
{
	seen[0] = '\0';
	hpack_block(h, (const uint8_t *)bytes, len, cut, field, NULL);
	assert_string_equal(seen, expect);
}

/* C.4: requests with Huffman codes, each building on those before. */
static const char first[] = "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
static const char second[] = "\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
static const char third[] = "\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";

static void from_the_start(void **state)
{
	struct hpack *h = hpack_new();

	(void)state;
	assert_non_null(h);
	block(h, first, sizeof(first) - 1, false, ":method=GET;:scheme=http;:path=/;:authority=www.example.com;");
	block(h, second, sizeof(second) - 1, false,
	      ":method=GET;:scheme=http;:path=/;:authority=www.example.com;cache-control=no-cache;");
	block(h, third, sizeof(third) - 1, false,
	      ":method=GET;:scheme=https;:path=/index.html;:authority=www.example.com;custom-key=custom-value;");
	hpack_free(h);
}

static void from_the_middle_on(void **state)
{
	struct hpack *h = hpack_new();

	(void)state;
	assert_non_null(h);
	/* The authority was said before we came; what is said from now on counts from the newest, and so does its place. */
	block(h, second, sizeof(second) - 1, false, ":method=GET;:scheme=http;:path=/;cache-control=no-cache;");
	block(h, third, sizeof(third) - 1, false, ":method=GET;:scheme=https;:path=/index.html;custom-key=custom-value;");
	block(h, "\x82\xbe\xbf\xc0", 4, false, ":method=GET;custom-key=custom-value;cache-control=no-cache;");
	hpack_free(h);
}

static void cut_blocks(void **state)
{
	struct hpack *h = hpack_new();

	(void)state;
	assert_non_null(h);
	block(h, first, 9, true, ":method=GET;:scheme=http;:path=/;");
	/* The table is void, and nothing of it is made up. */
	block(h, second, sizeof(second) - 1, false, ":method=GET;:scheme=http;:path=/;cache-control=no-cache;");
	hpack_free(h);
	hpack_free(NULL);
}

TEST_MAIN(cmocka_unit_test(from_the_start), cmocka_unit_test(from_the_middle_on), cmocka_unit_test(cut_blocks))
