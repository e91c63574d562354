/* MongoDB's OP_MSG as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_MONGODB_H
#define GAPSCOPE_PROTOCOLS_MONGODB_H

#include "protocols/protocol.h"

extern const struct protocol mongodb_protocol;

#endif
