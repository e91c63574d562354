/* Fuzzes DNS over TCP; what the input means is in connection.h. */
#define FUZZ_OPENING \
	"\000!\000\001\001\000\000\001\000\000\000\000\000\000\003Api\007Example\003com\000\000\001\000\001\000" \
	"!\000\002\001\000\000\001\000\000\000\000\000\000\003api\007example\003com\000\000\034\000\001"
#include "tests/fuzz/connection.h"
