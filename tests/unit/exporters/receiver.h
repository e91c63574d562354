/*
 * An HTTP receiver with faults to order, on a free loopback port and a thread of its own: the next requests are answered as a script says.
 */
#ifndef GAPSCOPE_TESTS_EXPORTERS_RECEIVER_H
#define GAPSCOPE_TESTS_EXPORTERS_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

#define RECEIVED_MAX 64U

enum answer_how {
	ANSWER,      /* with the status, headers and body given */
	ANSWER_NONE, /* never: the connection stays open in silence */
	ANSWER_RESET /* with a TCP reset once the request was read */
};

struct answer {
	enum answer_how how;
	int status;          /* 0 = 200 */
	const char *headers; /* "Retry-After: 1\r\n" or NULL */
	const char *body;
	size_t body_len;
};

struct received {
	char head[2048];
	uint8_t *body;
	size_t body_len;
	unsigned int connection; /* its number */
	uint64_t at_ns;          /* CLOCK_MONOTONIC */
};

struct receiver;

/* Answers in order; past the script, 200 without a body. */
struct receiver *receiver_new(const struct answer *script, size_t n);
/* "http://127.0.0.1:<port>"; the receiver's. */
const char *receiver_url(const struct receiver *r);
/* Wait until n requests were read, at most 10 s. Returns how many were. */
size_t receiver_wait(struct receiver *r, size_t n);
const struct received *receiver_got(struct receiver *r, size_t i);
void receiver_free(struct receiver *r);

#endif
