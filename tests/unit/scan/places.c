/*
 * Places worth a look: all implementations agree, and each kind is found where it stands, across the words' borders too.
 */
#include "scan/find.h"

#include "scan/places.h"

static void places_of(places_fn fn, const uint8_t *text, size_t len, struct places *ret)
{
	static struct classes c;
	memset(&c, 0, sizeof(c));
	classes_begin(&c);
	classify(text, len, &c);
	/* the rare ones are not filled where there are none */
	memset(ret, 0, sizeof(*ret));
	fn(&c, 1, ret);
}

static void agree(void **state)
{
	(void)state;
	static const char set[] = "0123456789abcXYZ_.- =:@+'\",>Q7(%&\\\x1b\xef";
	uint32_t random = 1;
	for (size_t round = 0; round < 3000; round++) {
		uint8_t text[PLACES_LANES * 64];
		struct places a, b;
		for (size_t i = 0; i < sizeof(text); i++) {
			random = random * 1664525 + 1013904223;
			/* runs, as texts have them */
			text[i] = i > 0 && (random >> 20 & 3) != 0 ? text[i - 1] : (uint8_t)set[(random >> 24) % (sizeof(set) - 1)];
		}
		places_fn fn = NULL;
		places_of(places_finder(), text, sizeof(text) - round % 9, &a);
		for (unsigned int way = 0; places_way(way, &fn); way++) {
			if (fn == NULL)
				continue;
			places_of(fn, text, sizeof(text) - round % 9, &b);
			assert_memory_equal(&a, &b, sizeof(a));
		}
		for (size_t lane = 0; lane < PLACES_LANES; lane++) {
			uint64_t rest = a.made[lane] | a.odd[lane] | a.pem[lane] | a.rare[lane];
			assert_int_equal(a.rest >> lane & 1, rest != 0);
			assert_int_equal((a.keys[lane] & a.odd[lane]) | (a.tokens[lane] & a.made[lane]), 0);
		}
	}
}

/* The one place of `map` when `what` stands at every offset; its distance from the beginning is `at`. */
static void expect(const char *what, size_t map, size_t at)
{
	size_t n = strlen(what);
	/* not to the very end: what follows there is nothing, which may open a value as well */
	for (size_t from = 1; from + n + 1 < PLACES_LANES * 64; from++) {
		uint8_t text[PLACES_LANES * 64];
		struct places p;
		memset(text, ' ', sizeof(text));
		memcpy(text + from, what, n);
		places_of(places_finder(), text, sizeof(text), &p);
		for (size_t i = 0; i < sizeof(text); i++) {
			const uint64_t *lanes = (const uint64_t *)(const void *)((const uint8_t *)&p + map);
			bool is = (lanes[i / 64] >> (i % 64) & 1) != 0;
			if (is != (i == from + at))
				fail_msg("\"%s\" at %zu: place at %zu is %d", what, from, i, is);
		}
	}
}

static void kinds(void **state)
{
	(void)state;
	expect("abcdefghijklmno", offsetof(struct places, tokens), 0);
	expect("key=x", offsetof(struct places, keys), 3);
	expect("key:x", offsetof(struct places, keys), 3);
	expect("cvv2:1", offsetof(struct places, odd), 4);
	expect("card [", offsetof(struct places, keys), 4);
	expect("12:34 k>", offsetof(struct places, keys), 7);
	expect("\"key\":x", offsetof(struct places, hopped), 5);
	expect("[(key)]=x", offsetof(struct places, odd), 7);
	expect("key12=x", offsetof(struct places, odd), 5);
	expect("'key12'=x", offsetof(struct places, odd), 7);
	expect("-----B", offsetof(struct places, pem), 0);
	expect("4111 1111 111", offsetof(struct places, groups), 0);
	expect("4111-111111-1", offsetof(struct places, groups), 0);
	expect("12 411111111111111", offsetof(struct places, groups), 3);
	expect("4111111111111111", offsetof(struct places, groups), 0);
	/* of fifteen, with a number one further: the next line's time */
	expect("378282246310005\n2024", offsetof(struct places, groups), 0);
	expect("078-05-1120", offsetof(struct places, groups), 0);
	expect("a@b", offsetof(struct places, at), 1);
	expect("+49", offsetof(struct places, plus), 0);
	expect("DE89", offsetof(struct places, iban), 0);
	expect("RSSMRA85", offsetof(struct places, codice), 0);
	expect("(\"A\", \"b\")", offsetof(struct places, commas), 4);
	expect("'A','b'", offsetof(struct places, commas), 3);
	expect("/abcd5fghijklmno", offsetof(struct places, made), 1);
	expect("q abcd5fghijklmno", offsetof(struct places, made), 2);
	expect("--user", offsetof(struct places, options), 0);
	expect("-u", offsetof(struct places, options), 0);
	expect("123:Abcdefghijklmnop", offsetof(struct places, telegram), 3);
	expect("0123456789abcdef0123456789abcdef-us1", offsetof(struct places, shapes), 0);
	expect("values(7", offsetof(struct places, keys), 6);
	expect("values('", offsetof(struct places, keys), 6);
	expect("secret-1f0c2b7e8d9a4c5b6f7e", offsetof(struct places, keys), 6);
	expect("2$LhayLxezLhKvKxW", offsetof(struct places, made), 2);
	expect("%40", offsetof(struct places, written), 0);
	expect("\\u0040", offsetof(struct places, written), 0);
	expect("&lt;", offsetof(struct places, written), 0);
	expect("\x1b[", offsetof(struct places, written), 0);
	expect("a/b/c/d/", offsetof(struct places, written), 0);
	expect("a@b", offsetof(struct places, rare), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
		cmocka_unit_test(kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
