/* MySQL's and MariaDB's protocol as an entry of the protocol table. */
#ifndef GAPSCOPE_PROTOCOLS_MYSQL_H
#define GAPSCOPE_PROTOCOLS_MYSQL_H

#include "protocols/protocol.h"

extern const struct protocol mysql_protocol;

#endif
