/*
 * What both transports take from libcurl: names, connections, proxies and TLS with all its options, and a wait that can be ended. The multi
 * interface is used for one transfer at a time because it can be woken: a shutdown does not wait for a slow receiver.
 *
 * Owner: one transport; otlp_curl_abort from any thread, the rest from the lane's.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_CURL_H
#define GAPSCOPE_EXPORTERS_OTLP_CURL_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "exporters/otlp_transport.h"

struct otlp_curl {
	CURLM *multi;
	CURL *easy;
	bool added; /* to multi */
	atomic_bool aborted;
	char error[CURL_ERROR_SIZE];
};

/* 0 or -ENOMEM; otlp_curl_done in either case. */
int otlp_curl_init(struct otlp_curl *c, const struct otlp_signal *s);
void otlp_curl_done(struct otlp_curl *c);
void otlp_curl_abort(struct otlp_curl *c);
bool otlp_curl_aborted(const struct otlp_curl *c);
/* Run the transfer to its end. False if it was aborted. A connection that was asked for alone stays until otlp_curl_end. */
bool otlp_curl_run(struct otlp_curl *c, CURLcode *ret);
void otlp_curl_end(struct otlp_curl *c);
/* Fill a reply for a transfer that came to no answer. */
void otlp_curl_judge(const struct otlp_curl *c, CURLcode code, struct otlp_reply *ret);

#endif
