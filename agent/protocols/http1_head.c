/*
 * HTTP/1.x heads: the start line, and lines of fields (http1_field.c). Every length is checked, nothing is trusted. See http1_head.h.
 */
#include "protocols/http1_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "protocols/http1_field.h"

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
		span_copy(h->host, sizeof(h->host), t);
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
		span_copy(h->host, sizeof(h->host), (struct span){t.at, n});
		t.at += n;
		t.len -= n;
		if (t.len == 0 || t.at[0] != '/')
			memcpy(h->path, "/", 2);
	}
	const uint8_t *mark = t.len ? memchr(t.at, '?', t.len) : NULL;
	size_t path = mark ? (size_t)(mark - t.at) : t.len;
	if (path)
		span_copy(h->path, sizeof(h->path), (struct span){t.at, path});
	if (mark)
		span_copy(h->query, sizeof(h->query), (struct span){mark + 1, t.len - path - 1});
	h->waits = query_waits(h->query);
	return true;
}

void http1_head_method(struct http1_head *h, const uint8_t *bytes, size_t len)
{
	span_copy(h->method_original, sizeof(h->method_original), (struct span){bytes, len});
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

/* A request line whose end was not captured: a method that is known, and as much of its target as there is. */
static bool cut_request_line(struct span line, struct http1_head *h)
{
	const uint8_t *space = memchr(line.at, ' ', line.len);
	const size_t n = space ? (size_t)(space - line.at) : 0;
	const struct span target = {line.at + n + 1, space ? line.len - n - 1 : 0};

	if (n == 0 || target.len == 0 || (target.at[0] != '/' && !memmem(target.at, target.len, "://", 3)))
		return false;
	for (size_t i = 0; i < target.len; i++) {
		if (target.at[i] <= ' ' || target.at[i] == 127)
			return false;
	}
	http1_head_method(h, line.at, n);
	h->ambiguous = true;
	return strcmp(h->method, "_OTHER") != 0 && target_of(target, h);
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
	if (!next_line(&rest, &line))
		return request && !complete && cut_request_line(rest, h) ? 0 : -EBADMSG;
	if (line.len == 0)
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
