/*
 * One direction of an HTTP/1.x connection: cuts a stream of bytes, split anywhere and with gaps, into messages (RFC 9112 section 6).
 * What a head means for its body is the caller's word, as it depends on the other direction. The session's thread only.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP1_READER_H
#define GAPSCOPE_PROTOCOLS_HTTP1_READER_H

#include "protocols/http1_heads.h"

enum http1_body {
	HTTP1_BODY_NONE,
	HTTP1_BODY_LENGTH, /* of head->length bytes */
	HTTP1_BODY_CHUNKED,
	HTTP1_BODY_UNTIL_CLOSE,
	HTTP1_BODY_UNKNOWN, /* ambiguous or not captured: look for the next message */
	HTTP1_BODY_OPAQUE,  /* no HTTP any more */
};

enum http1_at {
	HTTP1_AT_START, /* between messages */
	HTTP1_AT_HEAD,
	HTTP1_AT_LENGTH,
	HTTP1_AT_CHUNK_SIZE,
	HTTP1_AT_CHUNK_DATA,
	HTTP1_AT_CHUNK_END,
	HTTP1_AT_TRAILER,
	HTTP1_AT_UNTIL_CLOSE,
	HTTP1_AT_LOST,
	HTTP1_AT_OPAQUE,
};

struct http1_reader_ops {
	void (*start)(void *ctx);                                              /* the first byte of a message */
	enum http1_body (*head)(void *ctx, const struct http1_head *h);        /* its head */
	void (*body)(void *ctx, const uint8_t *bytes, size_t len, size_t gap); /* some of its body, without framing */
	void (*end)(void *ctx);                                                /* its last byte */
	void (*lost)(void *ctx);                                               /* its end cannot be known */
};

struct http1_reader {
	const struct http1_reader_ops *ops;
	void *ctx;
	struct counters *counters;
	struct http1_heads *heads;      /* that are known; may be NULL */
	const struct http1_known *hint; /* of its last head, or NULL */
	bool request;
	enum http1_at at;
	uint64_t left;     /* of a body or chunk */
	uint64_t line;     /* bytes of the chunk size or trailer line so far */
	uint64_t trailer;  /* bytes of trailers so far */
	bool size_ended;   /* an extension of the chunk size began */
	bool lost_chunked; /* lost in a chunked body: its last chunk may still be recognised */
	uint64_t bytes;    /* of the message so far, gaps included; reset at start */
	uint8_t *head;
	size_t head_len, head_size;
};

/* `len` bytes, then `gap` that were not captured. */
void http1_reader_feed(struct http1_reader *r, const uint8_t *bytes, size_t len, size_t gap, uint64_t now_ns);
/* Forget the message under way and look for the next start. */
void http1_reader_lose(struct http1_reader *r);
/* The rest of the message under way may never come: what begins as the next one is it. */
void http1_reader_forgo(struct http1_reader *r);
void http1_reader_done(struct http1_reader *r);

#endif
