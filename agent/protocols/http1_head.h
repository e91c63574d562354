/*
 * The head of an HTTP/1.x message, parsed (RFC 9112 sections 2 to 6). No state, no allocation; the caller's thread.
 */
#ifndef GAPSCOPE_PROTOCOLS_HTTP1_HEAD_H
#define GAPSCOPE_PROTOCOLS_HTTP1_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "protocols/protocol.h"

struct http1_head {
	unsigned int version; /* 10 or 11; 0: not captured */
	/* request line */
	char method[16];          /* "_OTHER" if it is none of the registered ones */
	char method_original[16]; /* as sent, cut */
	/* status line */
	int status;
	/* fields */
	char traceparent[64];
	bool idempotency_key;
	uint8_t attempt;   /* its number, where the sender says it: from 1 on; 0 not stated */
	bool reads;        /* it names an action that changes nothing, whatever the method */
	bool upgrade, h2c; /* Upgrade is there; and names HTTP/2 in the clear */
	bool expects;      /* to be told to go on before it sends its body */
	bool waits;        /* its answer may come late by design, or has no end */
	bool has_length;
	uint64_t length;
	bool chunked;           /* Transfer-Encoding ends in chunked */
	bool other_coding;      /* Transfer-Encoding is there and does not end in chunked */
	bool ambiguous;         /* two readers could see different message ends: do not guess */
	bool close, keep_alive; /* options of Connection */
	int64_t retry_after_ns; /* -1 if not stated */
	int64_t deadline_ns;    /* how long the sender says that it waits, 0 if not stated */
	/* Last, since a new head only has them empty. */
	char path[LIMIT_PEER_TEXT];
	char query[LIMIT_PEER_TEXT];
	char host[LIMIT_PEER_TEXT]; /* of the Host field or an absolute target */
};

/* Parse a head: `len` bytes from the start line on. With `complete`, up to and including the empty line; otherwise what was captured of
 * it, whose last, cut line is ignored. `now_ns` turns a date of Retry-After into a duration. 0, or -EBADMSG if it is no such head, and *ret is
 * undefined. */
int http1_head_parse(const uint8_t *bytes, size_t len, bool request, bool complete, uint64_t now_ns, struct http1_head *ret);

/* Does the connection end with this message (RFC 9112 9.3)? */
bool http1_head_is_last(const struct http1_head *h);

/* The parts of a head one by one, as HTTP/2 has them. */
void http1_head_method(struct http1_head *h, const uint8_t *bytes, size_t len);
bool http1_head_target(struct http1_head *h, const uint8_t *bytes, size_t len);
void http1_head_field(struct http1_head *h, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len,
		      uint64_t now_ns);

/* Could these bytes begin a request or a response? */
enum probe_answer http1_head_probe(const uint8_t *bytes, size_t len, bool request);

#endif
