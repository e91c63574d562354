/* Fuzzes HTTP/2; what the input means is in connection.h. */
#define FUZZ_OPENING \
	"PRI * HTTP/2.0\015\012\015\012SM\015\012\015\012\000\000\000\004\000\000\000\000\000\000\000\004\010\000" \
	"\000\000\000\000\000\000\377\377"
#include "tests/fuzz/connection.h"
