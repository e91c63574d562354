/* Fuzzes PostgreSQL's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING "\000\000\000 \000\003\000\000user\000bob\000database\000shop\000\000"
#include "tests/fuzz/connection.h"
