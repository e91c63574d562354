/*
 * Heads that were parsed a moment ago: clients ask for the same again and again, and servers answer alike, so most heads are known, byte for
 * byte. What a head says depends on its bytes alone; one whose meaning depends on the time is not kept.
 *
 * One for each model (model_shared), for all its connections. The bytes have been redacted before a protocol sees them; they are wiped at the end.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP1_HEADS_H
#define GAPSCOPE_PROTOCOLS_HTTP1_HEADS_H

#include "protocols/http1_head.h"

#define HTTP1_HEADS_BYTES 512U /* of a head that is kept, at most */
#define HTTP1_HEADS_PLACES 32U

struct http1_heads;
struct http1_known;

/* NULL when memory is out. */
struct http1_heads *http1_heads_new(void);
void http1_heads_free(struct http1_heads *heads);
/* Do these bytes begin with the head that *hint (NULL: none) had? Its length then, and what it says; else 0. */
size_t http1_heads_again(const struct http1_known *hint, const uint8_t *bytes, size_t len, bool request,
			 const struct http1_head **ret);
/* Parse a whole head (http1_head_parse), or know it. NULL if it is none. What is returned stays until the next call; *ret_hint is to be asked
 * for the next head of the same direction of the same connection. `heads` may be NULL; `room` is used where a head is not kept. */
const struct http1_head *http1_heads_parse(struct http1_heads *heads, const uint8_t *bytes, size_t len, bool request,
					   uint64_t now_ns, struct http1_head *room, const struct http1_known **ret_hint);

#endif
