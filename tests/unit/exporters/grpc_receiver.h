/*
 * A gRPC receiver with faults to order, on a free loopback port and a thread of its own: the next calls are answered as a script says. It
 * frames with nghttp2, whose server side shares no code of ours with the client that is tested.
 */
#ifndef GAPSCOPE_TESTS_EXPORTERS_GRPC_RECEIVER_H
#define GAPSCOPE_TESTS_EXPORTERS_GRPC_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

#define GRPC_CALLS_MAX 32U

enum grpc_how {
	GRPC_ANSWER,    /* head, body, trailers; without a body: trailers only */
	GRPC_SILENCE,   /* never */
	GRPC_RST,       /* the stream is reset after the head, with `code` */
	GRPC_TCP_RESET, /* the connection is, in the middle of the body */
	GRPC_GOAWAY     /* answered well, and then the connection is closed */
};

struct grpc_script {
	enum grpc_how how;
	const char *status; /* NULL = "0" */
	const char *details, *encoding;
	const char *body;
	size_t body_len;
	uint32_t code;
};

struct grpc_call {
	char headers[2048]; /* "name: value\n" */
	uint8_t *body;
	size_t body_len;
	unsigned int connection;
};

struct grpc_receiver;

struct grpc_receiver *grpc_receiver_new(const struct grpc_script *script, size_t n);
const char *grpc_receiver_url(const struct grpc_receiver *r);
/* Wait until n calls were read, at most 10 s. Returns how many were. */
size_t grpc_receiver_wait(struct grpc_receiver *r, size_t n);
const struct grpc_call *grpc_receiver_got(struct grpc_receiver *r, size_t i);
void grpc_receiver_free(struct grpc_receiver *r);

#endif
