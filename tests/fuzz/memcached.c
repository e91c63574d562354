/* Fuzzes memcached's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING "get a\r\n"
#include "tests/fuzz/connection.h"
