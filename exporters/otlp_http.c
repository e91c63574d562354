/*
 * OTLP over HTTP/1.1, with protobuf or JSON bodies, by libcurl.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/gzip.h"
#include "exporters/otlp_curl.h"
#include "exporters/otlp_json.h"

struct otlp_http {
	struct otlp_curl curl;
	struct curl_slist *headers;
	const struct otlp_signal *signal;
	uint8_t *body; /* of the response */
	size_t body_len;
	bool too_large;
};

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct otlp_http *h = ctx;
	size_t len = size * n;
	if (len > OTLP_RESPONSE_MAX - h->body_len) {
		h->too_large = true;
		return 0;
	}
	uint8_t *body = realloc(h->body, h->body_len + len + 1);
	if (body == NULL)
		return 0;
	memcpy(body + h->body_len, data, len);
	h->body = body;
	h->body_len += len;
	return len;
}

static bool add_header(struct otlp_http *h, const char *line)
{
	struct curl_slist *list = curl_slist_append(h->headers, line);
	if (list == NULL)
		return false;
	h->headers = list;
	return true;
}

static bool add_headers(struct otlp_http *h, const struct otlp_signal *s)
{
	bool json = s->protocol == OTLP_HTTP_JSON;
	/* "Expect:" takes out a header that costs a round trip; the rest says what the body is */
	bool good = add_header(h, json ? "Content-Type: application/json" : "Content-Type: application/x-protobuf");
	good = good && add_header(h, "Expect:") && (!s->gzip || add_header(h, "Content-Encoding: gzip"));
	for (size_t i = 0; good && i < s->headers_n; i++)
		good = add_header(h, s->headers[i]);
	return good;
}

static void http_close(void *t)
{
	struct otlp_http *h = t;
	if (h == NULL)
		return;
	otlp_curl_done(&h->curl);
	curl_slist_free_all(h->headers);
	free(h->body);
	free(h);
}

static int http_open(const struct otlp_signal *s, void **ret)
{
	struct otlp_http *h = calloc(1, sizeof *h);
	if (h == NULL)
		return -ENOMEM;
	h->signal = s;
	if (otlp_curl_init(&h->curl, s) != 0 || !add_headers(h, s)) {
		http_close(h);
		return -ENOMEM;
	}
	CURL *easy = h->curl.easy;
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, OTLP_USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, h);
	*ret = h;
	return 0;
}

static void http_abort(void *t)
{
	struct otlp_http *h = t;
	otlp_curl_abort(&h->curl);
}

static void judge_status(struct otlp_http *h, struct otlp_reply *ret)
{
	long status = 0;
	curl_off_t after = 0;
	curl_easy_getinfo(h->curl.easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->curl.easy, CURLINFO_RETRY_AFTER, &after); /* seconds or a date: curl reads both */
	if (status >= 200 && status < 300) {
		ret->verdict = OTLP_TAKEN;
		ret->rejected = h->signal->protocol == OTLP_HTTP_JSON ? otlp_json_rejected(h->body, h->body_len)
								      : otlp_decode_rejected(h->body, h->body_len);
		return;
	}
	bool again = status == 429 || status == 502 || status == 503 || status == 504;
	ret->verdict = again ? OTLP_RETRY : OTLP_REFUSED;
	if (again && after > 0)
		ret->retry_after_ms = after < OTLP_RETRY_AFTER_MAX_MS / 1000U ? (uint64_t)after * 1000U : OTLP_RETRY_AFTER_MAX_MS;
	snprintf(ret->why, sizeof ret->why, "the receiver answered %ld", status);
}

static void judge(struct otlp_http *h, CURLcode code, struct otlp_reply *ret)
{
	if (h->too_large) {
		ret->verdict = OTLP_REFUSED;
		snprintf(ret->why, sizeof ret->why, "the receiver's answer was longer than %u bytes", OTLP_RESPONSE_MAX);
	} else if (code == CURLE_OK) {
		judge_status(h, ret);
	} else {
		otlp_curl_judge(&h->curl, code, ret);
	}
}

static void http_post(void *t, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret)
{
	struct otlp_http *h = t;
	struct bytes packed = {0};
	CURLcode code;
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED};
	if (h->signal->gzip && gzip_pack(body, &packed) != 0) {
		snprintf(ret->why, sizeof ret->why, "out of memory while compressing");
		return;
	}
	const struct bytes *sent = h->signal->gzip ? &packed : body;
	h->body_len = 0;
	h->too_large = false;
	curl_easy_setopt(h->curl.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sent->len);
	curl_easy_setopt(h->curl.easy, CURLOPT_POSTFIELDS, sent->data);
	curl_easy_setopt(h->curl.easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (otlp_curl_run(&h->curl, &code))
		judge(h, code, ret);
	else
		ret->verdict = OTLP_ABORTED;
	otlp_curl_end(&h->curl);
	free(packed.data);
}

const struct otlp_transport otlp_over_http = {
	.open = http_open,
	.post = http_post,
	.abort = http_abort,
	.close = http_close,
};
