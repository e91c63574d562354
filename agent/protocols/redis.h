/* Redis's protocol, RESP2 and RESP3, as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_REDIS_H
#define GAPSCOPE_PROTOCOLS_REDIS_H

#include "protocols/protocol.h"

extern const struct protocol redis_protocol;

#endif
