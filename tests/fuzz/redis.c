/* Fuzzes Redis's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING "*1\r\n$4\r\nPING\r\n"
#include "tests/fuzz/connection.h"
