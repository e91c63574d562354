/* memcached's text and meta protocol as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_MEMCACHED_H
#define GAPSCOPE_PROTOCOLS_MEMCACHED_H

#include "protocols/protocol.h"

extern const struct protocol memcached_protocol;

#endif
