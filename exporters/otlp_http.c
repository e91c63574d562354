/*
 * One destination over HTTP, by libcurl. The multi interface is used for one transfer at a time because it can be woken: a shutdown does
 * not wait for a slow receiver.
 */
#include "exporters/otlp_http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <zlib.h>

#define USER_AGENT "gapscope/" GAPSCOPE_VERSION " OTel-OTLP-Exporter-C/" GAPSCOPE_VERSION
#define POLL_MS 1000
#define GZIP_WINDOW_BITS (15 + 16) /* zlib: + 16 makes a gzip header */
#define RETRY_AFTER_MAX_S 3600

struct otlp_http {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	bool gzip;
	atomic_bool aborted;
	char error[CURL_ERROR_SIZE];
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
	/* "Expect:" takes out a header that costs a round trip; the rest says what the body is */
	bool good = add_header(h, "Content-Type: application/x-protobuf") && add_header(h, "Expect:");
	good = good && (!s->gzip || add_header(h, "Content-Encoding: gzip"));
	for (size_t i = 0; good && i < s->headers_n; i++)
		good = add_header(h, s->headers[i]);
	return good;
}

int otlp_http_new(const struct otlp_signal *s, struct otlp_http **ret)
{
	struct otlp_http *h = calloc(1, sizeof *h);
	if (h == NULL)
		return -ENOMEM;
	h->gzip = s->gzip;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (h->multi == NULL || h->easy == NULL || !add_headers(h, s)) {
		otlp_http_free(h);
		return -ENOMEM;
	}
	curl_easy_setopt(h->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
	if (s->ca != NULL)
		curl_easy_setopt(h->easy, CURLOPT_CAINFO, s->ca);
	if (s->cert != NULL)
		curl_easy_setopt(h->easy, CURLOPT_SSLCERT, s->cert);
	if (s->key != NULL)
		curl_easy_setopt(h->easy, CURLOPT_SSLKEY, s->key);
	*ret = h;
	return 0;
}

void otlp_http_free(struct otlp_http *h)
{
	if (h == NULL)
		return;
	if (h->easy != NULL)
		curl_easy_cleanup(h->easy);
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->headers);
	free(h->body);
	free(h);
}

void otlp_http_abort(struct otlp_http *h)
{
	atomic_store(&h->aborted, true);
	curl_multi_wakeup(h->multi);
}

static int compress_body(const struct bytes *in, struct bytes *ret)
{
	z_stream z = {0};
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size_t room = deflateBound(&z, in->len);
	uint8_t *data = malloc(room);
	int rc = data != NULL ? 0 : -ENOMEM;
	if (rc == 0) {
		z.next_in = in->data;
		z.avail_in = (uInt)in->len;
		z.next_out = data;
		z.avail_out = (uInt)room;
		rc = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -EIO;
	}
	if (rc == 0)
		*ret = (struct bytes){.data = data, .len = z.total_out};
	else
		free(data);
	deflateEnd(&z);
	return rc;
}

/* Run the transfer to its end. False if it was aborted. */
static bool perform(struct otlp_http *h, CURLcode *ret)
{
	int running = 1;
	*ret = CURLE_FAILED_INIT;
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return true;
	while (running > 0 && !atomic_load(&h->aborted)) {
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			break;
		if (running > 0)
			curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
	}
	int left;
	const CURLMsg *m = curl_multi_info_read(h->multi, &left);
	if (m != NULL && m->msg == CURLMSG_DONE)
		*ret = m->data.result;
	curl_multi_remove_handle(h->multi, h->easy);
	return running == 0 || !atomic_load(&h->aborted);
}

static bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static void judge_status(struct otlp_http *h, struct otlp_reply *ret)
{
	long status = 0;
	curl_off_t after = 0;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &after); /* seconds or a date: curl reads both */
	if (status >= 200 && status < 300) {
		ret->verdict = OTLP_TAKEN;
		ret->rejected = otlp_decode_rejected(h->body, h->body_len);
		return;
	}
	bool again = status == 429 || status == 502 || status == 503 || status == 504;
	ret->verdict = again ? OTLP_RETRY : OTLP_REFUSED;
	if (again && after > 0)
		ret->retry_after_ms = (uint64_t)(after < RETRY_AFTER_MAX_S ? after : RETRY_AFTER_MAX_S) * 1000U;
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
		ret->verdict = may_pass(code) ? OTLP_RETRY : OTLP_REFUSED;
		snprintf(ret->why, sizeof ret->why, "%s", h->error[0] != '\0' ? h->error : curl_easy_strerror(code));
	}
}

void otlp_http_post(struct otlp_http *h, const struct bytes *body, uint64_t timeout_ms, struct otlp_reply *ret)
{
	struct bytes packed = {0};
	CURLcode code;
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED};
	if (h->gzip && compress_body(body, &packed) != 0) {
		snprintf(ret->why, sizeof ret->why, "out of memory while compressing");
		return;
	}
	const struct bytes *sent = h->gzip ? &packed : body;
	h->body_len = 0;
	h->too_large = false;
	h->error[0] = '\0';
	curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sent->len);
	curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, sent->data);
	curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (perform(h, &code))
		judge(h, code, ret);
	else
		ret->verdict = OTLP_ABORTED;
	free(packed.data);
}
