/*
 * What a gRPC answer means: its status decides, RetryInfo is the floor of the pause, the message says what was rejected.
 */
#include "exporters/grpc_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rpc.pb-c.h>

#include "exporters/gzip.h"
#include "report/text.h"

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"

enum grpc_code {
	OK,
	CANCELLED,
	UNKNOWN,
	INVALID_ARGUMENT,
	DEADLINE_EXCEEDED,
	NOT_FOUND,
	ALREADY_EXISTS,
	PERMISSION_DENIED,
	RESOURCE_EXHAUSTED,
	FAILED_PRECONDITION,
	ABORTED,
	OUT_OF_RANGE,
	UNIMPLEMENTED,
	INTERNAL,
	UNAVAILABLE,
	DATA_LOSS,
	UNAUTHENTICATED,
	CODES
};

/* OTLP specification: which codes may pass. */
static const enum {
	NO,
	YES,
	WITH_RETRY_INFO
} retryable[CODES] = {
	[CANCELLED] = YES, [DEADLINE_EXCEEDED] = YES, [RESOURCE_EXHAUSTED] = WITH_RETRY_INFO,
	[ABORTED] = YES,   [OUT_OF_RANGE] = YES,      [UNAVAILABLE] = YES,
	[DATA_LOSS] = YES,
};

static void keep(char *slot, size_t size, const char *value, size_t len)
{
	snprintf(slot, size, "%.*s", (int)(len < size ? len : size - 1), value);
}

static bool named(const char *want, const char *name, size_t len)
{
	return strlen(want) == len && memcmp(want, name, len) == 0;
}

void grpc_answer_header(struct grpc_answer *a, const char *name, size_t name_len, const char *value, size_t value_len)
{
	char number[12];
	if (named(":status", name, name_len)) {
		keep(number, sizeof number, value, value_len);
		a->http_status = (unsigned int)strtoul(number, NULL, 10);
	} else if (named("grpc-status", name, name_len)) {
		a->status_seen = true;
		keep(a->status, sizeof a->status, value, value_len);
	} else if (named("grpc-message", name, name_len)) {
		keep(a->message, sizeof a->message, value, value_len);
	} else if (named("grpc-encoding", name, name_len)) {
		keep(a->encoding, sizeof a->encoding, value, value_len);
	} else if (named("grpc-status-details-bin", name, name_len) && value_len < sizeof a->details) {
		keep(a->details, sizeof a->details, value, value_len); /* half of one would say nothing */
	}
}

int grpc_answer_body(struct grpc_answer *a, const uint8_t *data, size_t len)
{
	if (len > OTLP_RESPONSE_MAX + GRPC_PREFIX - a->body.len)
		return -EMSGSIZE;
	uint8_t *grown = realloc(a->body.data, a->body.len + len + 1);
	if (grown == NULL)
		return -ENOMEM;
	memcpy(grown + a->body.len, data, len);
	a->body.data = grown;
	a->body.len += len;
	return 0;
}

void grpc_answer_done(struct grpc_answer *a)
{
	free(a->body.data);
	*a = (struct grpc_answer){0};
}

/* -- grpc-status-details-bin -- */

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* With or without padding, as gRPC allows. Returns the length, or -1 for what is none; out ≥ strlen(text) bytes. */
static ssize_t base64_decode(const char *text, uint8_t *out)
{
	unsigned int bits = 0, n = 0;
	ssize_t len = 0;
	for (; *text != '\0' && *text != '='; text++) {
		int v = base64_value(*text);
		if (v < 0)
			return -1;
		bits = bits << 6 | (unsigned int)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			out[len++] = (uint8_t)(bits >> n);
		}
	}
	return len;
}

static uint64_t delay_ms(const Rpc__Duration *d)
{
	if (d == NULL || d->seconds < 0 || d->nanos < 0)
		return 0;
	if (d->seconds >= (int64_t)(OTLP_RETRY_AFTER_MAX_MS / 1000U))
		return OTLP_RETRY_AFTER_MAX_MS;
	return (uint64_t)d->seconds * 1000U + ((uint64_t)d->nanos + 999999U) / 1000000U;
}

/* Is there a RetryInfo? Its delay is in *ret_ms. */
static bool retry_info(const char *details, uint64_t *ret_ms)
{
	uint8_t raw[sizeof(((struct grpc_answer *)0)->details)];
	ssize_t len = base64_decode(details, raw);
	Rpc__Status *status = len > 0 ? rpc__status__unpack(NULL, (size_t)len, raw) : NULL;
	bool found = false;
	for (size_t i = 0; status != NULL && i < status->n_details && !found; i++) {
		const Rpc__Any *any = status->details[i];
		if (strcmp(any->type_url, RETRY_INFO) != 0)
			continue;
		Rpc__RetryInfo *info = rpc__retry_info__unpack(NULL, any->value.len, any->value.data);
		found = info != NULL;
		if (found) {
			*ret_ms = delay_ms(info->retry_delay);
			rpc__retry_info__free_unpacked(info, NULL);
		}
	}
	if (status != NULL)
		rpc__status__free_unpacked(status, NULL);
	return found;
}

/* -- the verdict -- */

/* gRPC over HTTP/2: what an answer without a grpc-status counts as. */
static enum grpc_code code_of_http(unsigned int status)
{
	switch (status) {
	case 400:
		return INTERNAL;
	case 401:
		return UNAUTHENTICATED;
	case 403:
		return PERMISSION_DENIED;
	case 404:
		return UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return UNAVAILABLE;
	default:
		return UNKNOWN;
	}
}

static enum grpc_code code_of_reset(uint32_t error)
{
	switch (error) {
	case 7: /* REFUSED_STREAM */
		return UNAVAILABLE;
	case 8: /* CANCEL */
		return CANCELLED;
	case 11: /* ENHANCE_YOUR_CALM */
		return RESOURCE_EXHAUSTED;
	case 12: /* INADEQUATE_SECURITY */
		return PERMISSION_DENIED;
	default:
		return INTERNAL;
	}
}

static enum grpc_code code_of(const struct grpc_answer *a)
{
	if (a->status_seen) {
		char *end;
		unsigned long code = strtoul(a->status, &end, 10);
		return end != a->status && *end == '\0' && code < CODES ? (enum grpc_code)code : UNKNOWN;
	}
	if (a->http_status != 0 && a->http_status != 200)
		return code_of_http(a->http_status);
	return code_of_reset(a->reset);
}

/* The answer's message: what was rejected. 0, or -EBADMSG for what cannot be read. */
static int read_message(const struct grpc_answer *a, uint64_t *ret_rejected)
{
	const uint8_t *at = a->body.data;
	struct bytes plain = {0};
	if (a->body.len == 0)
		return 0;
	if (a->body.len < GRPC_PREFIX)
		return -EBADMSG;
	size_t len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
	if (len > a->body.len - GRPC_PREFIX)
		return -EBADMSG;
	const struct bytes message = {.data = (uint8_t *)at + GRPC_PREFIX, .len = len};
	if (at[0] == 0) {
		*ret_rejected = otlp_decode_rejected(message.data, message.len);
		return 0;
	}
	if (at[0] != 1 || strcmp(a->encoding, "gzip") != 0 || gzip_unpack(&message, OTLP_RESPONSE_MAX, &plain) != 0)
		return -EBADMSG;
	*ret_rejected = otlp_decode_rejected(plain.data, plain.len);
	free(plain.data);
	return 0;
}

void grpc_answer_judge(const struct grpc_answer *a, struct otlp_reply *ret)
{
	char message[sizeof a->message];
	uint64_t floor_ms = 0;
	enum grpc_code code = code_of(a);
	*ret = (struct otlp_reply){.verdict = OTLP_REFUSED};
	if (code == OK) {
		if (read_message(a, &ret->rejected) == 0)
			ret->verdict = OTLP_TAKEN;
		else
			snprintf(ret->why, sizeof ret->why, "the receiver's answer cannot be read");
		return;
	}
	bool told = retry_info(a->details, &floor_ms);
	if (retryable[code] == YES || (retryable[code] == WITH_RETRY_INFO && told)) {
		ret->verdict = OTLP_RETRY;
		ret->retry_after_ms = floor_ms;
	}
	text_clean(a->message, message, sizeof message);
	snprintf(ret->why, sizeof ret->why, "the receiver answered gRPC status %d%s%.150s", (int)code,
		 message[0] != '\0' ? ": " : "", message);
}
