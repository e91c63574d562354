/* Kafka's protocol as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_KAFKA_H
#define GAPSCOPE_PROTOCOLS_KAFKA_H

#include "protocols/protocol.h"

extern const struct protocol kafka_protocol;

#endif
