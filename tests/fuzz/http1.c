/* Fuzzes HTTP/1.1; what the input means is in connection.h. */
#define FUZZ_OPENING ""
#include "tests/fuzz/connection.h"
