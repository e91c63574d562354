/* Attempts to connect, as the kernel's table shows them. */
#include "test.h"

#include "prove/knock.h"

#include <arpa/inet.h>
#include <stdio.h>

/* A line of /proc/net/tcp: state 2, to 127.83.0.(row + 1). */
static const char *line(char *buf, size_t size, const char *before, uint32_t row, unsigned int port, unsigned int state)
{
	snprintf(buf, size, "   3: 0100007F:C001 %s%08X:%04X %02X 00000001:00000000 01:00000064 00000000     0        0 77 2 0",
		 before, htonl(WIRE_FAULT_NET + row + 1), port, state);
	return buf;
}

static void lines(void **state)
{
	char text[256];
	uint32_t from, row;

	(void)state;
	assert_true(knock_parse(line(text, sizeof(text), "", 7, 4711, 2), 4711, &from, &row));
	assert_int_equal(from, 0xc001);
	assert_int_equal(row, 7);
	assert_true(knock_parse(line(text, sizeof(text), "0000000000000000FFFF0000", 0, 4711, 2), 4711, &from, &row));
	assert_int_equal(row, 0);
	assert_false(knock_parse(line(text, sizeof(text), "", 7, 4711, 1), 4711, &from, &row));
	assert_false(knock_parse(line(text, sizeof(text), "", 7, 4712, 2), 4711, &from, &row));
	/* the relay's own, which fill the queue */
	assert_false(knock_parse(line(text, sizeof(text), "", WIRE_FAULT_PEERS, 4711, 2), 4711, &from, &row));
	assert_false(knock_parse("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt", 4711, &from, &row));
}

TEST_MAIN(cmocka_unit_test(lines))
