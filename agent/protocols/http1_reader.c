/*
 * Cutting a stream into HTTP/1.x messages. Each step takes what it understands of the bytes left and says how many that were; a step
 * that can take none changes the state, so the loop always ends. See http1_reader.h.
 */
#include "protocols/http1_reader.h"

#include <stdlib.h>
#include <string.h>

static void to(struct http1_reader *r, enum http1_at at)
{
	r->at = at;
	r->line = 0;
	r->size_ended = false;
}

static void drop_head(struct http1_reader *r)
{
	free(r->head);
	r->head = NULL;
	r->head_len = 0;
	r->head_size = 0;
}

static void lose(struct http1_reader *r)
{
	r->lost_chunked = r->at == HTTP1_AT_CHUNK_DATA || r->at == HTTP1_AT_CHUNK_SIZE || r->at == HTTP1_AT_CHUNK_END;
	drop_head(r);
	to(r, HTTP1_AT_LOST);
	r->counters->protocol_resync++;
	r->ops->lost(r->ctx);
}

void http1_reader_lose(struct http1_reader *r)
{
	if (r->at != HTTP1_AT_LOST && r->at != HTTP1_AT_OPAQUE)
		lose(r);
}

void http1_reader_forgo(struct http1_reader *r)
{
	drop_head(r);
	to(r, HTTP1_AT_LOST);
	r->lost_chunked = false;
}

static void end(struct http1_reader *r)
{
	to(r, HTTP1_AT_START);
	r->ops->end(r->ctx);
}

static void begin_body(struct http1_reader *r, const struct http1_head *h)
{
	enum http1_body body = r->ops->head(r->ctx, h);

	switch (body) {
	case HTTP1_BODY_LENGTH:
		r->left = h->length;
		to(r, HTTP1_AT_LENGTH);
		if (r->left == 0)
			end(r);
		break;
	case HTTP1_BODY_CHUNKED:
		r->trailer = 0;
		r->left = 0;
		to(r, HTTP1_AT_CHUNK_SIZE);
		break;
	case HTTP1_BODY_UNTIL_CLOSE:
		to(r, HTTP1_AT_UNTIL_CLOSE);
		break;
	case HTTP1_BODY_UNKNOWN:
		lose(r);
		r->lost_chunked = h->chunked && !h->has_length;
		break;
	case HTTP1_BODY_OPAQUE:
		to(r, HTTP1_AT_OPAQUE);
		break;
	default:
		end(r);
		break;
	}
}

static void parse(struct http1_reader *r, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
	struct http1_head room;
	const struct http1_head *h = http1_heads_parse(r->heads, bytes, len, r->request, now_ns, &room, &r->hint);

	if (h)
		begin_body(r, h);
	else
		lose(r);
}

/* What there is of a head. */
static void parse_part(struct http1_reader *r, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
	struct http1_head h;

	if (http1_head_parse(bytes, len, r->request, false, now_ns, &h) < 0)
		lose(r);
	else
		begin_body(r, &h);
}

/* Position behind the empty line that ends a head, looking from `from` on; 0 if there is none. */
static size_t head_end(const uint8_t *bytes, size_t len, size_t from)
{
	const uint8_t *at = bytes + from;

	while ((at = memchr(at, '\n', len - (size_t)(at - bytes)))) {
		size_t next = (size_t)(at - bytes) + 1;
		if (next < len && bytes[next] == '\n')
			return next + 1;
		if (next + 1 < len && bytes[next] == '\r' && bytes[next + 1] == '\n')
			return next + 2;
		at++;
	}
	return 0;
}

static bool keep(struct http1_reader *r, const uint8_t *bytes, size_t len)
{
	if (r->head_len + len > r->head_size) {
		size_t size = r->head_len + len < 1024 ? 1024 : LIMIT_HTTP_HEAD_BYTES;
		uint8_t *grown = realloc(r->head, size);
		if (!grown)
			return false;
		r->head = grown;
		r->head_size = size;
	}
	memcpy(r->head + r->head_len, bytes, len);
	r->head_len += len;
	return true;
}

static size_t in_head(struct http1_reader *r, const uint8_t *bytes, size_t len, uint64_t now_ns)
{
	if (r->head_len == 0) {
		const struct http1_head *h;
		size_t n = len < LIMIT_HTTP_HEAD_BYTES ? len : LIMIT_HTTP_HEAD_BYTES;
		size_t again = http1_heads_again(r->hint, bytes, n, r->request, &h);
		size_t whole = again ? again : head_end(bytes, n, 0);
		r->bytes += whole;
		if (again)
			begin_body(r, h);
		else if (whole)
			parse(r, bytes, whole, now_ns);
		if (whole)
			return whole;
	}
	size_t room = LIMIT_HTTP_HEAD_BYTES - r->head_len;
	size_t n = len < room ? len : room, before = r->head_len;
	if (!keep(r, bytes, n)) {
		lose(r);
		return len;
	}
	size_t whole = head_end(r->head, r->head_len, before < 3 ? 0 : before - 3);
	if (whole) {
		uint8_t *head = r->head;
		r->head = NULL;
		drop_head(r);
		r->bytes += whole - before;
		parse(r, head, whole, now_ns);
		free(head);
		return whole - before;
	}
	r->bytes += n;
	if (r->head_len == LIMIT_HTTP_HEAD_BYTES) {
		uint8_t *head = r->head;
		r->counters->limit[LIMIT_REACHED_HEAD]++;
		r->head = NULL;
		drop_head(r);
		parse_part(r, head, LIMIT_HTTP_HEAD_BYTES, now_ns);
		free(head);
	}
	return n;
}

static size_t in_start(struct http1_reader *r, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	/* Empty lines before a request are to be ignored (RFC 9112 2.2). */
	while (n < len && (bytes[n] == '\r' || bytes[n] == '\n'))
		n++;
	if (n == len)
		return n;
	to(r, HTTP1_AT_HEAD);
	r->bytes = 0;
	r->lost_chunked = false;
	r->ops->start(r->ctx);
	return n;
}

static size_t in_length(struct http1_reader *r, const uint8_t *bytes, size_t len)
{
	size_t n = len < r->left ? len : (size_t)r->left;

	r->bytes += n;
	r->left -= n;
	r->ops->body(r->ctx, bytes, n, 0);
	if (r->left > 0)
		return n;
	if (r->at == HTTP1_AT_LENGTH)
		end(r);
	else
		to(r, HTTP1_AT_CHUNK_END);
	return n;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

static size_t in_chunk_size(struct http1_reader *r, uint8_t c)
{
	int digit = hex(c);

	r->bytes++;
	if (c == '\n') {
		if (r->line == 0)
			lose(r);
		else
			to(r, r->left ? HTTP1_AT_CHUNK_DATA : HTTP1_AT_TRAILER);
		return 1;
	}
	if (!r->size_ended && digit >= 0 && r->line < 15) {
		r->left = r->left << 4 | (uint64_t)digit;
		r->line++;
	} else if (r->line && (r->size_ended || c == ';' || c == '\r' || c == ' ' || c == '\t') &&
		   ++r->trailer < LIMIT_HTTP_HEAD_BYTES) {
		r->size_ended = true;
	} else {
		lose(r);
	}
	return 1;
}

static size_t in_chunk_end(struct http1_reader *r, uint8_t c)
{
	r->bytes++;
	if (c == '\n') {
		r->left = 0;
		to(r, HTTP1_AT_CHUNK_SIZE);
	} else if (c != '\r' || r->line++) {
		lose(r);
	}
	return 1;
}

static size_t in_trailer(struct http1_reader *r, uint8_t c)
{
	r->bytes++;
	if (c == '\n') {
		if (r->line == 0)
			end(r);
		else
			r->line = 0;
	} else if (c != '\r') {
		r->line++;
	}
	if (++r->trailer > LIMIT_HTTP_HEAD_BYTES)
		lose(r);
	return 1;
}

/* Lost: only the beginning of a call's bytes is trusted to begin a message. */
static size_t in_lost(struct http1_reader *r, const uint8_t *bytes, size_t len, bool first, bool all)
{
	static const uint8_t last_chunk[] = "\r\n0\r\n\r\n";

	if (first && http1_head_probe(bytes, len, r->request) == PROBE_YES) {
		to(r, HTTP1_AT_START);
		return 0;
	}
	r->bytes += len;
	if (r->lost_chunked && all &&
	    ((len >= 7 && memcmp(bytes + len - 7, last_chunk, 7) == 0) || (len == 5 && memcmp(bytes, last_chunk + 2, 5) == 0)))
		end(r);
	return len;
}

static size_t step(struct http1_reader *r, const uint8_t *bytes, size_t len, bool first, bool all, uint64_t now_ns)
{
	switch (r->at) {
	case HTTP1_AT_START:
		return in_start(r, bytes, len);
	case HTTP1_AT_HEAD:
		return in_head(r, bytes, len, now_ns);
	case HTTP1_AT_LENGTH:
	case HTTP1_AT_CHUNK_DATA:
		return in_length(r, bytes, len);
	case HTTP1_AT_CHUNK_SIZE:
		return in_chunk_size(r, bytes[0]);
	case HTTP1_AT_CHUNK_END:
		return in_chunk_end(r, bytes[0]);
	case HTTP1_AT_TRAILER:
		return in_trailer(r, bytes[0]);
	case HTTP1_AT_UNTIL_CLOSE:
		r->bytes += len;
		r->ops->body(r->ctx, bytes, len, 0);
		return len;
	case HTTP1_AT_LOST:
		return in_lost(r, bytes, len, first, all);
	default:
		return len;
	}
}

static void skip(struct http1_reader *r, size_t gap, uint64_t now_ns)
{
	switch (r->at) {
	case HTTP1_AT_LENGTH:
	case HTTP1_AT_CHUNK_DATA:
		if (gap <= r->left) {
			r->bytes += gap;
			r->left -= gap;
			r->ops->body(r->ctx, NULL, 0, gap);
			if (r->left == 0 && r->at == HTTP1_AT_LENGTH)
				end(r);
			else if (r->left == 0)
				to(r, HTTP1_AT_CHUNK_END);
			return;
		}
		if (r->at == HTTP1_AT_LENGTH) {
			r->bytes += r->left;
			end(r);
		} else {
			r->bytes += gap;
		}
		lose(r);
		return;
	case HTTP1_AT_UNTIL_CLOSE:
		r->bytes += gap;
		r->ops->body(r->ctx, NULL, 0, gap);
		return;
	case HTTP1_AT_HEAD: {
		uint8_t *head = r->head;
		size_t len = r->head_len;
		r->bytes += gap;
		r->head = NULL;
		drop_head(r);
		parse_part(r, head, len, now_ns);
		free(head);
		return;
	}
	case HTTP1_AT_LOST:
		r->bytes += gap;
		return;
	case HTTP1_AT_OPAQUE:
		return;
	default:
		r->bytes += gap;
		lose(r);
		return;
	}
}

void http1_reader_feed(struct http1_reader *r, const uint8_t *bytes, size_t len, size_t gap, uint64_t now_ns)
{
	const uint8_t *from = bytes;
	size_t left = len;

	while (left) {
		size_t n = step(r, from, left, from == bytes, gap == 0, now_ns);
		from += n;
		left -= n;
	}
	if (gap)
		skip(r, gap, now_ns);
}

void http1_reader_done(struct http1_reader *r)
{
	drop_head(r);
}
