/*
 * libcurl as both transports use it (otlp_curl.h).
 */
#include "exporters/otlp_curl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 1000

int otlp_curl_init(struct otlp_curl *c, const struct otlp_signal *s)
{
	memset(c, 0, sizeof *c);
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (c->multi == NULL || c->easy == NULL)
		return -ENOMEM;
	curl_easy_setopt(c->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	if (s->ca != NULL)
		curl_easy_setopt(c->easy, CURLOPT_CAINFO, s->ca);
	if (s->cert != NULL)
		curl_easy_setopt(c->easy, CURLOPT_SSLCERT, s->cert);
	if (s->key != NULL)
		curl_easy_setopt(c->easy, CURLOPT_SSLKEY, s->key);
	return 0;
}

void otlp_curl_done(struct otlp_curl *c)
{
	otlp_curl_end(c);
	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	if (c->multi != NULL)
		curl_multi_cleanup(c->multi);
}

void otlp_curl_abort(struct otlp_curl *c)
{
	atomic_store(&c->aborted, true);
	curl_multi_wakeup(c->multi);
}

bool otlp_curl_aborted(const struct otlp_curl *c)
{
	return atomic_load(&c->aborted);
}

bool otlp_curl_run(struct otlp_curl *c, CURLcode *ret)
{
	int running = 1, left;
	*ret = CURLE_FAILED_INIT;
	c->error[0] = '\0';
	otlp_curl_end(c);
	if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		return true;
	c->added = true;
	while (running > 0 && !otlp_curl_aborted(c)) {
		if (curl_multi_perform(c->multi, &running) != CURLM_OK)
			break;
		if (running > 0)
			curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL);
	}
	const CURLMsg *m = curl_multi_info_read(c->multi, &left);
	if (m != NULL && m->msg == CURLMSG_DONE)
		*ret = m->data.result;
	return running == 0 || !otlp_curl_aborted(c);
}

void otlp_curl_end(struct otlp_curl *c)
{
	if (c->added)
		curl_multi_remove_handle(c->multi, c->easy);
	c->added = false;
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

void otlp_curl_judge(const struct otlp_curl *c, CURLcode code, struct otlp_reply *ret)
{
	ret->verdict = may_pass(code) ? OTLP_RETRY : OTLP_REFUSED;
	snprintf(ret->why, sizeof ret->why, "%s", c->error[0] != '\0' ? c->error : curl_easy_strerror(code));
}
