/*
 * What is gRPC's own in a request of HTTP/2: the name of its method, and how it ended. Pure functions on one request.
 */
#ifndef GAPSCOPE_PROTOCOLS_GRPC_H
#define GAPSCOPE_PROTOCOLS_GRPC_H

#include <stdbool.h>
#include <stdint.h>

struct request;

/* The request is a call, named by its path: "/package.Service/Method". */
void grpc_name(struct request *r);
/* It ended with this grpc-status. */
void grpc_status(struct request *r, int status);
/* Its stream was reset by the client or the server, with this code of HTTP/2 (gRPC's PROTOCOL-HTTP2.md says what they mean). */
void grpc_reset(struct request *r, uint32_t code, bool by_client, uint64_t now_ns);

#endif
