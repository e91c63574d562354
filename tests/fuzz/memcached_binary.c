/* Fuzzes memcached's binary protocol; what the input means is in connection.h. */
#define FUZZ_OPENING "\200\000\000\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000a"
#include "tests/fuzz/connection.h"
