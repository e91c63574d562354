/* DNS over UDP and TCP as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_DNS_H
#define GAPSCOPE_PROTOCOLS_DNS_H

#include "protocols/protocol.h"

extern const struct protocol dns_protocol;

#endif
