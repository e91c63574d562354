/* Fuzzes MySQL's protocol; what the input means is in connection.h. */
#define FUZZ_OPENING \
	"F\000\000\001\010\202\010\000\000\000\000\001!\000\000\000\000\000\000\000\000\000\000\000\000\000\000" \
	"\000\000\000\000\000\000\000\000\000bob\000\006s3cr3tshop\000mysql_native_password\000"
#include "tests/fuzz/connection.h"
