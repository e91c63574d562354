/* Fuzzes AMQP 0-9-1; what the input means is in connection.h. */
#define FUZZ_OPENING "AMQP\000\000\011\001"
#include "tests/fuzz/connection.h"
