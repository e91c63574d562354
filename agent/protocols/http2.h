/* HTTP/2 and gRPC as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_HTTP2_H
#define GAPSCOPE_PROTOCOLS_HTTP2_H

#include "protocols/protocol.h"

extern const struct protocol http2_protocol;

#endif
