/* TLS's handshake as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_TLS_H
#define GAPSCOPE_PROTOCOLS_TLS_H

#include "protocols/protocol.h"

extern const struct protocol tls_protocol;

#endif
