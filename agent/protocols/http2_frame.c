/*
 * The head of a frame of HTTP/2, judged by itself: how the place is found again after a loss. See http2_frame.h.
 */
#include "protocols/http2_frame.h"

#include "protocols/talk.h"

bool http2_frame_sensible(const uint8_t *b)
{
	uint64_t n = (uint64_t)b[0] << 16 | (uint64_t)b[1] << 8 | b[2];
	uint32_t stream = talk_be32(b + 5);
	bool whole = b[3] == SETTINGS || b[3] == PING || b[3] == GOAWAY;

	if (b[3] >= TYPES || (stream & 0x80000000) || n > 16384 || (whole && stream) ||
	    (!whole && b[3] != WINDOW_UPDATE && !stream))
		return false;
	switch (b[3]) {
	case DATA:
		return !(b[4] & ~(END_STREAM | PADDED));
	case HEADERS:
		return n > 0 && !(b[4] & ~(END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY));
	case PRIORITY:
		return n == 5;
	case RST_STREAM:
	case WINDOW_UPDATE:
		return n == 4 && b[4] == 0;
	case SETTINGS:
		return n % 6 == 0 && b[4] <= 1;
	case PING:
		return n == 8 && b[4] <= 1;
	default:
		return true;
	}
}

bool http2_frames_sensible(const uint8_t *b, size_t len)
{
	size_t at = 0;

	if (len < HTTP2_FRAME_HEAD)
		return false;
	while (at + HTTP2_FRAME_HEAD <= len) {
		if (!http2_frame_sensible(b + at))
			return false;
		at += HTTP2_FRAME_HEAD + ((size_t)b[at] << 16 | (size_t)b[at + 1] << 8 | b[at + 2]);
	}
	return true;
}

bool http2_frame_payload(const uint8_t *b, size_t len, uint64_t size, size_t *ret_at, size_t *ret_len)
{
	size_t at = HTTP2_FRAME_HEAD, pad = 0;

	if (b[4] & PADDED) {
		if (len < HTTP2_FRAME_HEAD + 1)
			return false;
		pad = b[at++];
	}
	if (b[3] == HEADERS && (b[4] & HAS_PRIORITY))
		at += 5;
	if (b[3] == PUSH_PROMISE)
		at += 4;
	if (at + pad > size)
		return false;
	size_t end = (size_t)(size - pad < len ? size - pad : len);
	*ret_at = at < end ? at : end;
	*ret_len = end - *ret_at;
	return true;
}
