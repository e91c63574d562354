/* AMQP 0-9-1 as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_AMQP_H
#define GAPSCOPE_PROTOCOLS_AMQP_H

#include "protocols/protocol.h"

extern const struct protocol amqp_protocol;

#endif
