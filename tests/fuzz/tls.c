/* Fuzzes TLS's handshake; what the input means is in connection.h. */
#define FUZZ_OPENING "\026\003\001\0\200\001"
#include "tests/fuzz/connection.h"
