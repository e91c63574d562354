/* Fuzzes MongoDB's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING \
	"4\000\000\000\001\000\000\000\000\000\000\000\335\007\000\000\000\000\000\000\000\037\000" \
	"\000\000\020" \
	"hello\000\001\000\000\000\002$db\000\006\000\000\000admin\000\000"
#include "tests/fuzz/connection.h"
