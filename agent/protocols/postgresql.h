/* PostgreSQL's protocol 3.0 as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_POSTGRESQL_H
#define GAPSCOPE_PROTOCOLS_POSTGRESQL_H

#include "protocols/protocol.h"

extern const struct protocol postgresql_protocol;

#endif
