/*
 * Two rings that are searched from end to end: findings are rare, and spans are not.
 */
#include "exporters/otlp_spare.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

struct held {
	uint8_t id[8];
	struct bytes span; /* data NULL: it was taken */
};

struct otlp_spare {
	struct held held[LIMIT_SPARE_SPANS];
	uint8_t asked[LIMIT_SPARE_ASKED][8]; /* zero: none */
	size_t next, next_asked;
	uint64_t count;
};

struct otlp_spare *otlp_spare_new(void)
{
	return calloc(1, sizeof(struct otlp_spare));
}

void otlp_spare_clear(struct otlp_spare *s)
{
	for (size_t i = 0; i < LIMIT_SPARE_SPANS; i++)
		free(s->held[i].span.data);
	memset(s, 0, sizeof *s);
}

void otlp_spare_free(struct otlp_spare *s)
{
	if (s != NULL)
		otlp_spare_clear(s);
	free(s);
}

void otlp_spare_put(struct otlp_spare *s, const uint8_t span_id[8], const struct bytes *span)
{
	struct held *h = &s->held[s->next++ % LIMIT_SPARE_SPANS];

	s->count += h->span.data == NULL;
	free(h->span.data);
	memcpy(h->id, span_id, sizeof h->id);
	h->span = *span;
}

bool otlp_spare_take(struct otlp_spare *s, const uint8_t span_id[8], struct bytes *ret)
{
	for (size_t i = 0; i < LIMIT_SPARE_SPANS; i++) {
		struct held *h = &s->held[i];
		if (h->span.data == NULL || memcmp(h->id, span_id, sizeof h->id) != 0)
			continue;
		*ret = h->span;
		h->span = (struct bytes){0};
		s->count--;
		return true;
	}
	memcpy(s->asked[s->next_asked++ % LIMIT_SPARE_ASKED], span_id, sizeof *s->asked);
	return false;
}

bool otlp_spare_asked(struct otlp_spare *s, const uint8_t span_id[8])
{
	for (size_t i = 0; i < LIMIT_SPARE_ASKED; i++) {
		if (memcmp(s->asked[i], span_id, sizeof *s->asked) != 0)
			continue;
		memset(s->asked[i], 0, sizeof *s->asked);
		return true;
	}
	return false;
}

uint64_t otlp_spare_count(const struct otlp_spare *s)
{
	return s->count;
}
