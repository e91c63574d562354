/* Fuzzes Kafka's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING "\000\000\000\023\000\022\000\003\000\000\000\001\000\003app\000\002x\0021\000"
#include "tests/fuzz/connection.h"
