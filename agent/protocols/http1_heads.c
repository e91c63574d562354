/* Each head at the one place that its bytes lead to: the one that was there before is forgotten. See http1_heads.h. */
#include "protocols/http1_heads.h"

#include <stdlib.h>
#include <string.h>

#include "core/mix.h"

struct http1_known {
	size_t len; /* 0: the place is free */
	bool request;
	uint8_t bytes[HTTP1_HEADS_BYTES];
	struct http1_head head;
};

struct http1_heads {
	struct http1_known places[HTTP1_HEADS_PLACES];
};

struct http1_heads *http1_heads_new(void)
{
	return calloc(1, sizeof(struct http1_heads));
}

void http1_heads_free(struct http1_heads *heads)
{
	if (heads == NULL)
		return;
	explicit_bzero(heads, sizeof(*heads));
	free(heads);
}

size_t http1_heads_again(const struct http1_known *hint, const uint8_t *bytes, size_t len, bool request,
			 const struct http1_head **ret)
{
	/* A head ends with its first empty line: what begins with the same bytes has the same one. */
	if (hint == NULL || hint->len == 0 || hint->len > len || hint->request != request ||
	    memcmp(hint->bytes, bytes, hint->len) != 0)
		return 0;
	*ret = &hint->head;
	return hint->len;
}

const struct http1_head *http1_heads_parse(struct http1_heads *heads, const uint8_t *bytes, size_t len, bool request,
					   uint64_t now_ns, struct http1_head *room, const struct http1_known **ret_hint)
{
	struct http1_known *k = NULL;

	*ret_hint = NULL;
	if (heads != NULL && len > 0 && len <= HTTP1_HEADS_BYTES)
		k = &heads->places[mix_bytes(bytes, len) % HTTP1_HEADS_PLACES];
	if (k == NULL)
		return http1_head_parse(bytes, len, request, true, now_ns, room) < 0 ? NULL : room;
	*ret_hint = k;
	if (k->len == len && k->request == request && memcmp(k->bytes, bytes, len) == 0)
		return &k->head;
	k->len = 0;
	if (http1_head_parse(bytes, len, request, true, now_ns, &k->head) < 0)
		return NULL;
	if (k->head.retry_after_ns >= 0) /* it may be a date */
		return &k->head;
	k->len = len;
	k->request = request;
	memcpy(k->bytes, bytes, len);
	return &k->head;
}
