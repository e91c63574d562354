/*
 * The body of places.c's functions, of which there is one for each kind of processor: places.c includes this once for each, and says by
 * FIND_NAME and FIND_TARGET which one it is. ANY(x) and LANES(x) say whether there is a
 * place in any lane, and in which. With FIND_JOINED two words are shifted as one by one instruction (AVX-512 VBMI2).
 */
/* Bit i of the result is bit i + n of the words `low` and, after them, `high`; bit i - n of the words `now` and, before them, `before`. */
#undef AHEAD
#undef BEHIND_BY
#ifdef FIND_JOINED
#define AHEAD(low, high, n) ((quad)_mm256_shrdi_epi64((__m256i)(low), (__m256i)(high), (n)))
#define BEHIND_BY(now, before, n) ((quad)_mm256_shldi_epi64((__m256i)(now), (__m256i)(before), (n)))
#else
#define AHEAD(low, high, n) ((low) >> (n) | (high) << (64 - (n)))
#define BEHIND_BY(now, before, n) ((now) << (n) | (before) >> (64 - (n)))
#endif

FIND_TARGET static void FIND_NAME(const struct classes *c, size_t first, struct places *ret)
{
	LOAD(digit, digit);
	LOAD(upper, upper);
	LOAD(small, lower);
	LOAD(underscore, underscore);
	LOAD(dot, dot);
	LOAD(dash, dash);
	LOAD(space, space);
	LOAD(colon, colon);
	LOAD(plus, plus);
	LOAD(quote, quote);
	quad open, escape, at, equals, equals_last, equals_next, comma, comma_last, comma_next;
	memcpy(&at, &c->at[first], sizeof(at));
	memcpy(&equals, &c->equals[first], sizeof(equals));
	memcpy(&equals_last, &c->equals[first - 1], sizeof(equals));
	memcpy(&equals_next, &c->equals[first + 1], sizeof(equals));
	memcpy(&comma, &c->comma[first], sizeof(comma));
	memcpy(&comma_last, &c->comma[first - 1], sizeof(comma));
	memcpy(&comma_next, &c->comma[first + 1], sizeof(comma));
	memcpy(&open, &c->open[first], sizeof(open));
	memcpy(&escape, &c->escape[first], sizeof(escape));
	(void)plus_last;

	quad alpha = upper | small, alpha_next = upper_next | small_next, alpha_last = upper_last | small_last;
	quad word = alpha | digit | underscore, word_next = alpha_next | digit_next | underscore_next;
	quad word_last = alpha_last | digit_last | underscore_last;
	quad before_word = BEHIND(word, word_last), before_digit = BEHIND(digit, digit_last);
	quad next_digit = AHEAD(digit, digit_next, 1);

	quad pluses = plus & next_digit & ~before_word;

	/* Most of what follows is rare in any text, and the lines of a log are alike: so whether it is there is asked first, and the answer is
	 * foretold. */
	quad d2 = digit & next_digit, d2_next = digit_next & digit_next >> 1;
	quad d4 = d2 & AHEAD(d2, d2_next, 2), d4_next = d2_next & d2_next >> 2;

	/* groups of digits as on a card or of a social security number: fifteen or sixteen; four, a sign and four; 3-2-4 */
	quad groups = d4 & AHEAD(d4, d4_next, 5);
	quad three = dash & AHEAD(dash, dash_next, 3) & AHEAD(d4, d4_next, 4);
	groups |= AHEAD(three, dash_next & dash_next >> 3 & d4_next >> 4, 3);
	groups &= digit & ~before_digit;
	if (ANY(groups)) {
		quad d8 = d4 & AHEAD(d4, d4_next, 4), d8_next = d4_next & d4_next >> 4;
		quad undivided = d8 & AHEAD(d8, d8_next, 7) & ~(AHEAD(digit, digit_next, 15) & AHEAD(digit, digit_next, 16));
		quad fours = d4 & AHEAD(space | dash, space_next | dash_next, 4) & AHEAD(d4, d4_next, 5);
		three = AHEAD(d2, d2_next, 1) & AHEAD(dash, dash_next, 3) & AHEAD(d2, d2_next, 4) & AHEAD(dash, dash_next, 6) &
			AHEAD(d4, d4_next, 7);
		groups &= undivided | fours | three;
	}

	/* two capitals and two digits; six capitals and two digits */
	quad u2 = upper & AHEAD(upper, upper_next, 1), u2_next = upper_next & upper_next >> 1;
	quad codice = u2 & AHEAD(d2, d2_next, 2), codice_next = u2_next & d2_next >> 2;
	quad iban = codice & ~before_word;
	codice = AHEAD(codice, codice_next, 4) & u2 & ~before_word;
	if (ANY(codice))
		codice &= AHEAD(u2, u2_next, 2);

	/* what most of a log is made of; the rest are brackets, slashes, bytes beyond ASCII and other rare signs */
	quad common = word | dot | dash | space | equals | colon | quote | comma;
	quad common_next = word_next | dot_next | dash_next | space_next | equals_next | colon_next | quote_next | comma_next;
	quad common_last = word_last | dot_last | dash_last | space_last | equals_last | colon_last | quote_last | comma_last;
	quad next_rare = ~AHEAD(common, common_next, 1), after_rare = ~BEHIND(common, common_last);
	quad after_alpha = BEHIND(alpha, alpha_last);

	/* a key ends: '=', ':' unless inside a time, a space between a word and a number or a quote */
	/* "peer fe01:…": an IPv6 address may begin with a letter, and has a colon among its first five characters */
	quad near = colon | AHEAD(colon, colon_next, 1), near_next = colon_next | colon_next >> 1;
	near = AHEAD(near, near_next, 1) | AHEAD(near, near_next, 3);
	near_next = near_next >> 1 | near_next >> 3;
	quad opens = digit | quote | plus | dash | (alpha & near);
	quad opens_next = digit_next | quote_next | plus_next | dash_next | (alpha_next & near_next);
	/* "card [4111…": a sign of no class here may open a value */
	quad named = space & after_alpha;
	/* "cvv2:123" */
	quad numbered = digit & after_alpha, numbered_last = digit_last & alpha_last << 1;
	quad in_time = before_digit & next_digit & ~BEHIND(numbered, numbered_last);
	quad keys = equals | (colon & ~in_time) | (named & (AHEAD(opens, opens_next, 1) | next_rare));
	/* "VALUES(7" */
	quad call = open & after_alpha;
	if (ANY(call))
		keys |= call & (next_digit | AHEAD(quote, quote_next, 1));

	/* where the key ends: right before it, or with one sign between; what is further off or has a number at its end is odd */
	quad alnum = alpha | digit, alnum_last = alpha_last | digit_last;
	quad adjoins = BEHIND(alnum, alnum_last), second = BEHIND_BY(alnum, alnum_last, 2);
	quad hopped = keys & second & ~adjoins, digit2 = BEHIND_BY(digit, digit_last, 2);
	quad counted = (keys & before_digit) | (hopped & digit2);
	if (ANY(counted)) {
		quad alpha2 = BEHIND_BY(alpha, alpha_last, 2), alpha3 = BEHIND_BY(alpha, alpha_last, 3);
		quad alpha4 = BEHIND_BY(alpha, alpha_last, 4);
		counted = (before_digit & (alpha2 | alpha3)) | (hopped & digit2 & (alpha3 | alpha4));
	}
	quad odd = keys & (~(adjoins | second) | counted);

	/* a word begins a run of at least 15 characters that tokens are made of */
	quad t1 = word | dot | dash, t1_next = word_next | dot_next | dash_next;
	quad t2 = t1 & AHEAD(t1, t1_next, 1), t2_next = t1_next & t1_next >> 1;
	quad t4 = t2 & AHEAD(t2, t2_next, 2), t4_next = t2_next & t2_next >> 2;
	quad t8 = t4 & AHEAD(t4, t4_next, 4), t8_next = t4_next & t4_next >> 4;
	quad tokens = word & ~before_word & t8 & AHEAD(t8, t8_next, 7), made = {0}, shapes = {0};
	quad some2 = digit | next_digit, some2_next = digit_next | digit_next >> 1;
	if (ANY(tokens)) {
		/* of these, the ones with a digit among their first eight that stand after a word and a blank, or after a rare sign */
		quad near8 = some2 | AHEAD(some2, some2_next, 2);
		near8 |= AHEAD(near8, some2_next | some2_next >> 2, 4);
		quad named_last = space_last & alpha_last << 1;
		/* "$2b$12$LhayL…": behind a number and a sign no digit is needed */
		made = tokens & ((near8 & (BEHIND(named, named_last) | after_rare)) | (after_rare & digit2));
		/* signs in the middle of a vendor's key: shapes.c; all of them have 31 characters or more */
		shapes = tokens & AHEAD(t8, t8_next, 15) & AHEAD(t8, t8_next, 23);
		if (ANY(shapes)) {
			quad dot14 = AHEAD(dot, dot_next, 14) & AHEAD(dot, dot_next, 22),
			     dot24 = AHEAD(dot, dot_next, 24) & AHEAD(dot, dot_next, 31);
			quad dot26 = AHEAD(dot, dot_next, 26) & AHEAD(dot, dot_next, 33);
			shapes &= AHEAD(dash, dash_next, 32) | AHEAD(underscore, underscore_next, 36) | dot14 |
				  (AHEAD(upper, upper_next, 36) & AHEAD(upper, upper_next, 39)) | (upper & (dot24 | dot26));
		}
	}

	/* "acme-secret-1f0c…": a key that a dash joins to its value, of which one of the first eight is a digit; a bot's number and token */
	quad joined = dash & after_alpha, telegram = colon & before_digit;
	quad long_next = (joined | telegram) & AHEAD(t8, t8_next, 1);
	if (ANY(long_next)) {
		long_next &= AHEAD(t8, t8_next, 9);
		quad near8 = some2 | AHEAD(some2, some2_next, 2), near8_next = some2_next | some2_next >> 2;
		near8 |= AHEAD(near8, near8_next, 4);
		near8_next |= near8_next >> 4;
		keys |= joined & long_next & AHEAD(near8, near8_next, 1);
	}
	telegram &= long_next;

	/* "AUTH secret" of a protocol, "AUTH\r\n$6" of Redis, "AUTH" "secret" of its monitor */
	quad capitals = BEHIND(upper, upper_last) & BEHIND_BY(upper, upper_last, 2) & BEHIND_BY(upper, upper_last, 3) &
			BEHIND_BY(upper, upper_last, 4);
	keys |= capitals & (space | ~common);

	/* "KEY", "value" of a call */
	quad quoted = quote & after_alpha, commas = comma & BEHIND(quote, quote_last);
	quad speaks = quoted | commas;
	if (ANY(speaks)) {
		/* and b'KEY', b'value' of Python */
		quad quote2 = AHEAD(quote, quote_next, 2), spaced = AHEAD(space, space_next, 1);
		keys |= quoted & spaced & quote2;
		commas &= AHEAD(quote, quote_next, 1) | (spaced & (quote2 | AHEAD(quote, quote_next, 3)));
	}

	/* " -u" and " --user": a letter after one dash or two */
	quad option = dash & BEHIND(space | quote, space_last | quote_last);
	if (ANY(option))
		option &= AHEAD(alpha, alpha_next, 1) | (AHEAD(dash, dash_next, 1) & AHEAD(alpha, alpha_next, 2));

	/* "%40", "\u0040", "&quot;", a colour of a terminal, full-width letters; and letters with a NUL between each two, as UTF-16 has them */
	quad wide = alnum & next_rare, wide_next = (alpha_next | digit_next) & ~(common_next >> 1);
	wide &= AHEAD(wide, wide_next, 2);
	quad written = wide | escape;
	if (ANY(written)) {
		wide_next &= wide_next >> 2;
		written = (wide & AHEAD(wide, wide_next, 4)) | (escape & (AHEAD(alnum, alpha_next | digit_next, 1) | next_rare));
	}

	/* five dashes and a capital */
	quad pem = dash & AHEAD(dash, dash_next, 1), h2_next = dash_next & dash_next >> 1;
	if (ANY(pem))
		pem &= AHEAD(pem, h2_next, 2) & AHEAD(dash, dash_next, 4) & AHEAD(upper, upper_next, 5);

	quad rare = groups | at | pluses | iban | codice | commas | option | telegram | shapes | written;
	quad rest = made | odd | pem | rare;
	ret->rest = LANES(rest);
	STORE(tokens, tokens & ~made);
	STORE(made, made);
	STORE(keys, keys & ~odd);
	STORE(hopped, hopped);
	STORE(odd, odd);
	STORE(pem, pem);
	STORE(rare, rare);
	if (!ANY(rare))
		return;
	STORE(groups, groups);
	STORE(at, at);
	STORE(plus, pluses);
	STORE(iban, iban);
	STORE(codice, codice);
	STORE(commas, commas);
	STORE(options, option);
	STORE(telegram, telegram);
	STORE(shapes, shapes);
	STORE(written, written);
}

#undef FIND_NAME
#undef FIND_TARGET
#undef FIND_JOINED
#undef ANY
#undef LANES
