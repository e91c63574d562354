/*
 * The fields of an HTTP head that matter, one function each and one row of a table. Nothing is trusted. See http1_head.h.
 */
#include "protocols/http1_field.h"

#include <string.h>
#include <strings.h>

#include "protocols/http_date.h"

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp((const char *)s.at, text, s.len) == 0;
}

static bool span_begins(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.len >= n && strncasecmp((const char *)s.at, word, n) == 0;
}

static struct span trim(struct span s)
{
	while (s.len && (s.at[0] == ' ' || s.at[0] == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t' || s.at[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static void on_host(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	if (h->host[0] == '\0')
		span_copy(h->host, sizeof(h->host), v);
}

static void on_length(struct http1_head *h, struct span v, uint64_t now_ns)
{
	uint64_t n = 0;

	(void)now_ns;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9' || n > (UINT64_MAX - 9) / 10) {
			h->ambiguous = true;
			return;
		}
		n = n * 10 + (uint64_t)(v.at[i] - '0');
	}
	if (v.len == 0 || (h->has_length && h->length != n))
		h->ambiguous = true;
	h->has_length = true;
	h->length = n;
}

/* Only the last coding counts, and chunked must be the last and only once (RFC 9112 6.1). */
static void on_transfer_encoding(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	if (h->chunked)
		h->ambiguous = true;
	while (v.len) {
		const uint8_t *comma = memchr(v.at, ',', v.len);
		size_t n = comma ? (size_t)(comma - v.at) : v.len;
		struct span coding = trim((struct span){v.at, n});
		if (h->chunked)
			h->ambiguous = true;
		h->chunked = span_is(coding, "chunked");
		h->other_coding = !h->chunked;
		v.at += n + (comma != NULL);
		v.len -= n + (comma != NULL);
	}
}

/* A list of options, in any case (RFC 9110 7.6.1). */
static void on_connection(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	while (v.len) {
		const uint8_t *comma = memchr(v.at, ',', v.len);
		const size_t n = comma ? (size_t)(comma - v.at) : v.len;
		const struct span option = trim((struct span){v.at, n});

		h->close = h->close || span_is(option, "close");
		h->keep_alive = h->keep_alive || span_is(option, "keep-alive");
		v.at += n + (comma != NULL);
		v.len -= n + (comma != NULL);
	}
}

bool http1_head_is_last(const struct http1_head *h)
{
	return h->close || (h->version == 10 && !h->keep_alive);
}

static void on_traceparent(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	if (v.len < sizeof(h->traceparent))
		span_copy(h->traceparent, sizeof(h->traceparent), v);
}

static void on_idempotency_key(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	h->idempotency_key = v.len > 0;
}

/* DynamoDB_20120810.GetItem: AWS' JSON protocols send all actions with POST, and name those that read by their first word. */
static void on_action(struct http1_head *h, struct span v, uint64_t now_ns)
{
	static const char *const words[] = {"Get",      "List",        "Describe", "Query", "Scan",
					    "BatchGet", "TransactGet", "Search",   "Lookup"};
	const uint8_t *dot = v.len ? memrchr(v.at, '.', v.len) : NULL;
	const struct span action = dot ? (struct span){dot + 1, v.len - (size_t)(dot + 1 - v.at)} : v;

	(void)now_ns;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const size_t n = strlen(words[i]);
		h->reads = h->reads ||
			   (span_begins(action, words[i]) && (action.len == n || (action.at[n] >= 'A' && action.at[n] <= 'Z')));
	}
}

/* A number of at most nine digits; false if it is none. */
static bool number_of(struct span v, uint64_t *ret)
{
	uint64_t n = 0;

	if (v.len == 0 || v.len > 9)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(v.at[i] - '0');
	}
	*ret = n;
	return true;
}

/* Attempts before this one: gRPC's retries (gRFC A6), the SDKs that Stainless makes. */
static void on_attempts_before(struct http1_head *h, struct span v, uint64_t now_ns)
{
	uint64_t before;

	(void)now_ns;
	if (number_of(v, &before))
		h->attempt = (uint8_t)(before < UINT8_MAX ? before + 1 : UINT8_MAX);
}

/* "attempt=2; max=4": AWS' SDKs. */
static void on_attempt(struct http1_head *h, struct span v, uint64_t now_ns)
{
	static const char word[] = "attempt=";
	const size_t n = sizeof(word) - 1;
	const uint8_t *end = v.len ? memchr(v.at, ';', v.len) : NULL;
	uint64_t attempt;

	(void)now_ns;
	v.len = end ? (size_t)(end - v.at) : v.len;
	if (span_begins(v, word) && number_of((struct span){v.at + n, v.len - n}, &attempt))
		h->attempt = (uint8_t)(attempt < UINT8_MAX ? attempt : UINT8_MAX);
}

static void on_upgrade(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	h->upgrade = v.len > 0; /* the handshake is answered at once; what comes afterwards is not HTTP/1 any more */
	h->h2c = v.len == 3 && strncasecmp((const char *)v.at, "h2c", 3) == 0;
}

static void on_expect(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	h->expects = span_is(v, "100-continue");
}

/* Server-sent events: an answer without an end. */
static void on_accept(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	h->waits = h->waits || span_begins(v, "text/event-stream");
}

/* RFC 7240 4.3: the server is to wait that long for something to tell. */
static void on_prefer(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	h->waits = h->waits || span_begins(v, "wait=");
}

/* Seconds or a date (RFC 9110 10.2.3). */
static void on_retry_after(struct http1_head *h, struct span v, uint64_t now_ns)
{
	uint64_t seconds = 0;
	int64_t date;

	if (number_of(v, &seconds)) {
		h->retry_after_ns = (int64_t)(seconds * 1000000000ULL);
	} else if (http_date_parse((const char *)v.at, v.len, &date) == 0) {
		int64_t now = (int64_t)(now_ns / 1000000000ULL);
		h->retry_after_ns = date > now ? (date - now < INT32_MAX ? date - now : INT32_MAX) * 1000000000LL : 0;
	}
}

/* gRFC A6: so long the server wants a retry to wait; below zero there is to be none. */
static void on_pushback(struct http1_head *h, struct span v, uint64_t now_ns)
{
	uint64_t ms;

	(void)now_ns;
	if (number_of(v, &ms))
		h->retry_after_ns = (int64_t)(ms * 1000000);
}

/* At most eight digits and a unit (gRPC over HTTP/2, "Timeout"); without a unit it is milliseconds (Envoy). */
static void on_deadline(struct http1_head *h, struct span v, uint64_t now_ns)
{
	static const struct {
		uint8_t unit;
		uint64_t ns;
	} units[] = {{'H', 3600000000000}, {'M', 60000000000}, {'S', 1000000000}, {'m', 1000000}, {'u', 1000}, {'n', 1}};
	uint64_t n = 0, ns = 1000000;
	size_t i = 0;

	(void)now_ns;
	for (; i < v.len && i < 8 && v.at[i] >= '0' && v.at[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(v.at[i] - '0');
	if (i == 0 || v.len > i + 1)
		return;
	for (size_t u = 0; i < v.len && u < sizeof(units) / sizeof(units[0]); u++) {
		if (units[u].unit == v.at[i]) {
			ns = units[u].ns;
			i++;
		}
	}
	if (i == v.len && n <= INT64_MAX / ns)
		h->deadline_ns = (int64_t)(n * ns);
}

static const struct {
	const char *name;
	size_t len;
	void (*on)(struct http1_head *h, struct span value, uint64_t now_ns);
} fields[] = {
	{"host", sizeof("host") - 1, on_host},
	{"content-length", sizeof("content-length") - 1, on_length},
	{"transfer-encoding", sizeof("transfer-encoding") - 1, on_transfer_encoding},
	{"connection", sizeof("connection") - 1, on_connection},
	{"traceparent", sizeof("traceparent") - 1, on_traceparent},
	{"retry-after", sizeof("retry-after") - 1, on_retry_after},
	{"grpc-timeout", sizeof("grpc-timeout") - 1, on_deadline},
	{"x-envoy-expected-rq-timeout-ms", sizeof("x-envoy-expected-rq-timeout-ms") - 1, on_deadline},
	{"upgrade", sizeof("upgrade") - 1, on_upgrade},
	{"expect", sizeof("expect") - 1, on_expect},
	{"accept", sizeof("accept") - 1, on_accept},
	{"prefer", sizeof("prefer") - 1, on_prefer},
	{"idempotency-key", sizeof("idempotency-key") - 1, on_idempotency_key},
	{"x-idempotency-key", sizeof("x-idempotency-key") - 1, on_idempotency_key},
	{"idempotency-token", sizeof("idempotency-token") - 1, on_idempotency_key},
	{"x-idempotency-token", sizeof("x-idempotency-token") - 1, on_idempotency_key},
	{"x-amz-client-token", sizeof("x-amz-client-token") - 1, on_idempotency_key},
	{"grpc-previous-rpc-attempts", sizeof("grpc-previous-rpc-attempts") - 1, on_attempts_before},
	{"x-stainless-retry-count", sizeof("x-stainless-retry-count") - 1, on_attempts_before},
	{"amz-sdk-request", sizeof("amz-sdk-request") - 1, on_attempt},
	{"grpc-retry-pushback-ms", sizeof("grpc-retry-pushback-ms") - 1, on_pushback},
	{"x-amz-target", sizeof("x-amz-target") - 1, on_action},
	{"paypal-request-id", sizeof("paypal-request-id") - 1, on_idempotency_key},
};

/* Lengths that the names above have: most fields of a head are none of them. */
static const bool lengths[] = {
	[4] = true,  [6] = true,  [7] = true,  [10] = true, [11] = true, [12] = true, [14] = true, [15] = true,
	[17] = true, [18] = true, [19] = true, [22] = true, [23] = true, [26] = true, [30] = true,
};

void http1_head_field(struct http1_head *h, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len,
		      uint64_t now_ns)
{
	if (name_len >= sizeof(lengths) || !lengths[name_len])
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (name_len == fields[i].len && (name[0] | 0x20) == (uint8_t)fields[i].name[0] &&
		    strncasecmp((const char *)name, fields[i].name, name_len) == 0) {
			fields[i].on(h, trim((struct span){value, value_len}), now_ns);
			return;
		}
	}
}
