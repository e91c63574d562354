/*
 * HTTP/1.x heads: start line and the fields that matter. Every length is checked, nothing is trusted. See http1_head.h.
 */
#include "protocols/http1_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "protocols/http_date.h"

struct span {
	const uint8_t *at;
	size_t len;
};

static const char *const methods[] = {"GET",    "HEAD",   "POST",  "PUT",    "DELETE",   "CONNECT",  "OPTIONS",
				      "TRACE",  "PATCH",  "QUERY", "COPY",   "LOCK",     "MKCOL",    "MOVE",
				      "REPORT", "UNLOCK", "PURGE", "SEARCH", "PROPFIND", "PROPPATCH"};

static bool is_tchar(uint8_t c)
{
	static const bool tchars[256] = {
		['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
		['%'] = true,         ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true,
		['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true, ['~'] = true,
	};

	return tchars[c];
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp((const char *)s.at, text, s.len) == 0;
}

static bool span_begins(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.len >= n && strncasecmp((const char *)s.at, word, n) == 0;
}

/* Parameters by which a client asks the server to hold its answer until there is something to tell: a long poll, a watch. */
static bool query_waits(const char *query)
{
	static const char *const names[] = {"wait=", "watch=true", "watch=1", "longpoll=", "long_poll=", "waittimeseconds="};

	for (const char *at = query; at && *at; at = strchr(at, '&')) {
		at += *at == '&';
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strncasecmp(at, names[i], strlen(names[i])) == 0)
				return true;
		}
	}
	return false;
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

/* Copy as printable ASCII, cut to size. */
static void copy(char *out, size_t size, struct span s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = s.at[i] > 32 && s.at[i] < 127 ? (char)s.at[i] : '?';
	out[n] = '\0';
}

/* The next line without its end; false when there is no whole one left. */
static bool next_line(struct span *rest, struct span *ret)
{
	const uint8_t *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

	if (!end)
		return false;
	ret->at = rest->at;
	ret->len = (size_t)(end - rest->at);
	rest->at += ret->len + 1;
	rest->len -= ret->len + 1;
	if (ret->len && ret->at[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static bool version_of(struct span s, unsigned int *ret)
{
	if (s.len != 8 || memcmp(s.at, "HTTP/1.", 7) != 0 || s.at[7] < '0' || s.at[7] > '9')
		return false;
	*ret = s.at[7] == '0' ? 10 : 11;
	return true;
}

/* origin-form, absolute-form, authority-form or "*" (RFC 9112 3.2). */
static bool target_of(struct span t, struct http1_head *h)
{
	bool connect = strcmp(h->method, "CONNECT") == 0;

	if (t.len == 0)
		return false;
	if (connect) {
		copy(h->host, sizeof(h->host), t);
		return true;
	}
	if (t.at[0] != '/' && t.at[0] != '*') {
		const uint8_t *scheme = memmem(t.at, t.len, "://", 3);
		if (!scheme)
			return false;
		t.len -= (size_t)(scheme + 3 - t.at);
		t.at = scheme + 3;
		size_t n = 0;
		while (n < t.len && t.at[n] != '/' && t.at[n] != '?')
			n++;
		copy(h->host, sizeof(h->host), (struct span){t.at, n});
		t.at += n;
		t.len -= n;
		if (t.len == 0 || t.at[0] != '/')
			memcpy(h->path, "/", 2);
	}
	const uint8_t *mark = t.len ? memchr(t.at, '?', t.len) : NULL;
	size_t path = mark ? (size_t)(mark - t.at) : t.len;
	if (path)
		copy(h->path, sizeof(h->path), (struct span){t.at, path});
	if (mark)
		copy(h->query, sizeof(h->query), (struct span){mark + 1, t.len - path - 1});
	h->waits = query_waits(h->query);
	return true;
}

void http1_head_method(struct http1_head *h, const uint8_t *bytes, size_t len)
{
	copy(h->method_original, sizeof(h->method_original), (struct span){bytes, len});
	strcpy(h->method, "_OTHER");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		/* Methods are case-sensitive (RFC 9110 9.1). */
		if (bytes[0] == (uint8_t)methods[i][0] && len == strlen(methods[i]) && memcmp(bytes, methods[i], len) == 0) {
			memcpy(h->method, methods[i], len + 1);
			return;
		}
	}
}

bool http1_head_target(struct http1_head *h, const uint8_t *bytes, size_t len)
{
	return target_of((struct span){bytes, len}, h);
}

static bool request_line(struct span line, struct http1_head *h)
{
	const uint8_t *first = memchr(line.at, ' ', line.len);
	const uint8_t *last = memrchr(line.at, ' ', line.len);

	if (!first || first == line.at || last == first)
		return false;
	struct span method = {line.at, (size_t)(first - line.at)};
	for (size_t i = 0; i < method.len; i++) {
		if (!is_tchar(method.at[i]))
			return false;
	}
	if (!version_of((struct span){last + 1, line.len - (size_t)(last + 1 - line.at)}, &h->version))
		return false;
	http1_head_method(h, method.at, method.len);
	struct span target = {first + 1, (size_t)(last - first - 1)};
	return !memchr(target.at, ' ', target.len) && target_of(target, h);
}

static bool status_line(struct span line, struct http1_head *h)
{
	if (line.len < 12 || !version_of((struct span){line.at, 8}, &h->version) || line.at[8] != ' ')
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (line.at[i] < '0' || line.at[i] > '9')
			return false;
		h->status = h->status * 10 + (line.at[i] - '0');
	}
	return h->status >= 100 && (line.len == 12 || line.at[12] == ' ');
}

/* -- fields -- */

static void on_host(struct http1_head *h, struct span v, uint64_t now_ns)
{
	(void)now_ns;
	if (h->host[0] == '\0')
		copy(h->host, sizeof(h->host), v);
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
		copy(h->traceparent, sizeof(h->traceparent), v);
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

static void field_line(struct http1_head *h, struct span line, uint64_t now_ns)
{
	size_t n = 0;

	/* A folded line, a line without a name, a space before the colon: peers disagree about these. */
	while (n < line.len && is_tchar(line.at[n]))
		n++;
	if (n == 0 || n == line.len || line.at[n] != ':' || memchr(line.at + n, '\0', line.len - n) ||
	    memchr(line.at + n, '\r', line.len - n)) {
		h->ambiguous = true;
		return;
	}
	http1_head_field(h, line.at, n, line.at + n + 1, line.len - n - 1, now_ns);
}

int http1_head_parse(const uint8_t *bytes, size_t len, bool request, bool complete, uint64_t now_ns, struct http1_head *ret)
{
	struct http1_head *const h = ret;
	struct span rest = {bytes, len}, line;

	memset(h, 0, offsetof(struct http1_head, path));
	h->path[0] = h->query[0] = h->host[0] = '\0';
	h->retry_after_ns = -1;
	if (!next_line(&rest, &line) || line.len == 0)
		return -EBADMSG;
	if (!(request ? request_line(line, h) : status_line(line, h)))
		return -EBADMSG;
	while (next_line(&rest, &line) && line.len)
		field_line(h, line, now_ns);
	if (!complete || ((h->chunked || h->other_coding) && h->has_length))
		h->ambiguous = true;
	return 0;
}

static enum probe_answer probe_response(const uint8_t *bytes, size_t len)
{
	static const char start[] = "HTTP/1.";
	size_t n = len < 7 ? len : 7;

	if (memcmp(bytes, start, n) != 0)
		return PROBE_NO;
	if (len < 12)
		return PROBE_MORE;
	struct http1_head h = {0};
	return status_line((struct span){bytes, 12}, &h) ? PROBE_YES : PROBE_NO;
}

enum probe_answer http1_head_probe(const uint8_t *bytes, size_t len, bool request)
{
	size_t skip = 0;
	struct http1_head h = {0};

	if (!request)
		return len ? probe_response(bytes, len) : PROBE_MORE;
	/* An empty line before a request is to be ignored (RFC 9112 2.2). */
	while (skip < len && skip < 4 && (bytes[skip] == '\r' || bytes[skip] == '\n'))
		skip++;
	struct span rest = {bytes + skip, len - skip}, line;
	if (next_line(&rest, &line))
		return line.len && request_line(line, &h) ? PROBE_YES : PROBE_NO;
	/* Not one whole line: a token, a space, and a target so far. */
	size_t n = 0;
	while (n < rest.len && n < 24 && rest.at[n] >= 'A' && rest.at[n] <= 'Z')
		n++;
	if (n == rest.len)
		return n < 24 ? PROBE_MORE : PROBE_NO;
	if (n == 0 || rest.at[n] != ' ')
		return PROBE_NO;
	for (size_t i = n + 1; i < rest.len; i++) {
		if (rest.at[i] < 32 ? rest.at[i] != '\r' : rest.at[i] == 127)
			return PROBE_NO;
	}
	/* A very long target: the version is far behind, the method must do. */
	if (rest.len < 200)
		return PROBE_MORE;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (n == strlen(methods[i]) && memcmp(rest.at, methods[i], n) == 0 && rest.at[n + 1] == '/')
			return PROBE_YES;
	}
	return PROBE_NO;
}
