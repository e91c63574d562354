/* HTTP/1.1 as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_HTTP1_H
#define GAPSCOPE_PROTOCOLS_HTTP1_H

#include "protocols/protocol.h"

extern const struct protocol http1_protocol;

#endif
