/* Texts without a match: see clean.h. */
#include "ingest/clean.h"

#include <stdlib.h>
#include <string.h>

#include "core/mix.h"

struct clean_text {
	size_t len; /* 0: the place is free */
	uint8_t bytes[CLEAN_BYTES];
};

struct clean {
	struct clean_text texts[CLEAN_PLACES];
};

struct clean *clean_new(void)
{
	return calloc(1, sizeof(struct clean));
}

void clean_free(struct clean *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CLEAN_PLACES; i++) {
		if (c->texts[i].len > 0) /* a place that was never used is no memory yet */
			explicit_bzero(c->texts[i].bytes, c->texts[i].len);
	}
	free(c);
}

struct clean_text *clean_find(struct clean *c, const uint8_t *bytes, size_t len, bool *ret_known)
{
	struct clean_text *t;

	*ret_known = false;
	if (len == 0 || len > CLEAN_BYTES)
		return NULL;
	t = &c->texts[mix_bytes(bytes, len) % CLEAN_PLACES];
	*ret_known = t->len == len && memcmp(t->bytes, bytes, len) == 0;
	return t;
}

void clean_keep(struct clean_text *place, const uint8_t *bytes, size_t len)
{
	if (place == NULL)
		return;
	if (place->len > len)
		explicit_bzero(place->bytes + len, place->len - len);
	memcpy(place->bytes, bytes, len);
	place->len = len;
}
