/* http1_heads.c: a head that is known says what parsing it again would say; others are parsed, whatever was at their place. */
#include "protocols/http1_heads.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define REQUEST "GET /orders/7?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"

struct known {
	struct http1_heads *heads;
	const struct http1_known *hint;
	struct http1_head room;
};

static int make(void **state)
{
	static struct known k;

	k = (struct known){.heads = http1_heads_new()};
	assert_non_null(k.heads);
	*state = &k;
	return 0;
}

static int unmake(void **state)
{
	http1_heads_free(((struct known *)*state)->heads);
	return 0;
}

static const struct http1_head *parse(struct known *k, const char *text, bool request)
{
	return http1_heads_parse(k->heads, (const uint8_t *)text, strlen(text), request, 0, &k->room, &k->hint);
}

static size_t again(const struct known *k, const char *text, bool request, const struct http1_head **ret)
{
	return http1_heads_again(k->hint, (const uint8_t *)text, strlen(text), request, ret);
}

static void test_again(void **state)
{
	struct known *k = *state;
	const struct http1_head *h, *known = NULL;

	assert_int_equal(again(k, REQUEST, true, &known), 0);
	h = parse(k, REQUEST, true);
	assert_non_null(h);
	assert_string_equal(h->path, "/orders/7");
	assert_int_equal(again(k, REQUEST "and a body", true, &known), strlen(REQUEST));
	assert_ptr_equal(known, h);
	assert_int_equal(again(k, REQUEST, false, &known), 0);
	assert_int_equal(again(k, "GET /orders/8?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n", true, &known), 0);
	assert_int_equal(again(k, "GET /orders/7?x=1 HTTP/1.1\r\nHost: shop\r\n", true, &known), 0); /* not whole yet */
	assert_ptr_equal(parse(k, REQUEST, true), h);
	assert_null(parse(k, REQUEST, false));
}

static void test_other_heads_take_its_place(void **state)
{
	struct known *k = *state;
	const struct http1_head *known;
	char text[64];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 500; i++) {
			struct http1_head plain;

			snprintf(text, sizeof(text), "GET /orders/%d HTTP/1.1\r\nHost: shop-%d\r\n\r\n", i, i % 3);
			assert_int_equal(http1_head_parse((const uint8_t *)text, strlen(text), true, true, 0, &plain), 0);
			const struct http1_head *h = parse(k, text, true);
			assert_non_null(h);
			assert_memory_equal(h, &plain, offsetof(struct http1_head, path));
			assert_string_equal(h->path, plain.path);
			assert_string_equal(h->host, plain.host);
			assert_int_equal(again(k, text, true, &known), strlen(text));
		}
	}
	assert_int_equal(parse(k, ANSWER, false)->length, 12);
}

static void test_what_is_not_kept(void **state)
{
	struct known *k = *state;
	const struct http1_head *known;
	char text[2 * HTTP1_HEADS_BYTES];
	const char later[] = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n";

	assert_int_equal(parse(k, later, false)->retry_after_ns, 7000000000);
	assert_int_equal(again(k, later, false, &known), 0);
	assert_null(parse(k, "GET / SPDY/9\r\n\r\n", true));
	assert_int_equal(again(k, "GET / SPDY/9\r\n\r\n", true, &known), 0);
	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nX-Long: %0*d\r\nHost: a\r\n\r\n", (int)HTTP1_HEADS_BYTES, 1);
	assert_ptr_equal(parse(k, text, true), &k->room);
	assert_string_equal(k->room.host, "a");
	assert_null(k->hint);
	k->hint = NULL;
	assert_ptr_equal(http1_heads_parse(NULL, (const uint8_t *)REQUEST, strlen(REQUEST), true, 0, &k->room, &k->hint), &k->room);
	http1_heads_free(NULL);
}

TEST_MAIN(cmocka_unit_test_setup_teardown(test_again, make, unmake),
	  cmocka_unit_test_setup_teardown(test_other_heads_take_its_place, make, unmake),
	  cmocka_unit_test_setup_teardown(test_what_is_not_kept, make, unmake))
