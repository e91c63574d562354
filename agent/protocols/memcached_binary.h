/* memcached's binary protocol as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_MEMCACHED_BINARY_H
#define GAPSCOPE_PROTOCOLS_MEMCACHED_BINARY_H

#include "protocols/protocol.h"

extern const struct protocol memcached_binary_protocol;

#endif
