/* What may be the head of a frame of HTTP/2. */
#include "protocols/http2_frame.h"

#include "test.h"

static bool sensible(uint32_t size, uint8_t type, uint8_t flags, uint32_t stream)
{
	uint8_t b[HTTP2_FRAME_HEAD] = {
		(uint8_t)(size >> 16),   (uint8_t)(size >> 8),    (uint8_t)size,          type,           flags,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};

	return http2_frame_sensible(b);
}

static void sizes_and_streams_of_each_type(void **state)
{
	(void)state;
	assert_true(sensible(16384, DATA, END_STREAM, 1));
	assert_false(sensible(16385, DATA, END_STREAM, 1));
	assert_false(sensible(10, DATA, END_STREAM, 0));
	assert_false(sensible(10, DATA, END_HEADERS, 1));
	assert_true(sensible(10, HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 3));
	assert_false(sensible(0, HEADERS, END_HEADERS, 3));
	assert_false(sensible(10, HEADERS, 0x40, 3));
	assert_true(sensible(5, PRIORITY, 0, 3));
	assert_false(sensible(6, PRIORITY, 0, 3));
	assert_true(sensible(4, RST_STREAM, 0, 3));
	assert_false(sensible(4, RST_STREAM, 0, 0));
	assert_true(sensible(12, SETTINGS, 0, 0));
	assert_false(sensible(12, SETTINGS, 0, 1));
	assert_false(sensible(13, SETTINGS, 0, 0));
	assert_true(sensible(8, PING, 1, 0));
	assert_false(sensible(7, PING, 1, 0));
	assert_true(sensible(4, WINDOW_UPDATE, 0, 0));
	assert_true(sensible(4, WINDOW_UPDATE, 0, 9));
	assert_true(sensible(20, GOAWAY, 0, 0));
	assert_true(sensible(20, CONTINUATION, END_HEADERS, 1));
	assert_false(sensible(20, TYPES, 0, 1));
	assert_false(sensible(20, DATA, 0, 0x80000001));
}

TEST_MAIN(cmocka_unit_test(sizes_and_streams_of_each_type))
