/*
 * The recording file: the events of a session, with their stacks, to be replayed. Little endian, written and read byte by byte.
 *
 * May be included by agent/ingest and its tests.
 *
 *   file      ├ magic "GAPSREC\n" 8 ┤ version u32 ┤ ~version u32 ┤ block ┤ block ┤ … ┤ END block ┤  (nothing behind it)
 *
 *   block     ├ type u32 ┤ length u32 ┤ number u32 ┤ crc u32 ┤ payload: length bytes ┤
 *             number counts blocks from 0; crc is CRC-32C over type, length, number and payload. So every byte of the file is
 *             covered: the file's head is compared, all else is summed. length ≤ LIMIT_RECORDING_BLOCK.
 *
 *   HEAD      number 0: start_ns u64, seed u64, flags u32 (1 = raw logs), service (text)
 *   DATA      items one after another; an item lies within one block:
 *     stack   ├ kind u8 = 1 ┤ frames u8 ┤ id u32 ┤ frame … : flags u8, line u32, offset u64, function, module, file (texts)
 *             Ids count up from 1 without a gap. Frame flags: 1 runtime, 2 has function, 4 has module, 8 has file.
 *     event   ├ kind u8 = 2 ┤ 0 u8 ┤ id u16 ┤ flags u16 ┤ err u16 ┤ t0 u64 ┤ t1 u64 ┤ ret i64 ┤ a0 u64 ┤ a1 u64 ┤ pid u32 ┤
 *             ├ tid u32 ┤ fd i32 ┤ stack u32 ┤ data_len u32 ┤ data ┤
 *   END       the totals: events, published, truncated_bytes, end_ns u64 each; causes u32; lost u64 each; then, except in the
 *             oldest files, limits u32; how often each was reached u64
 *   text      length u16, bytes (no NUL)
 */
#ifndef GAPSCOPE_WIRE_RECORDING_FORMAT_H
#define GAPSCOPE_WIRE_RECORDING_FORMAT_H

#include <stdint.h>

#define RECORDING_MAGIC "GAPSREC\n"
#define RECORDING_MAGIC_BYTES 8U
#define RECORDING_VERSION 1U
#define RECORDING_FILE_HEAD_BYTES 16U
#define RECORDING_BLOCK_HEAD_BYTES 16U
#define RECORDING_CRC_AT 12U /* in the block's head */

/* Types read as text in a hex dump. */
enum recording_block {
	RECORDING_HEAD = 0x44414548U, /* "HEAD" */
	RECORDING_DATA = 0x41544144U, /* "DATA" */
	RECORDING_END = 0x20444e45U,  /* "END " */
};

enum recording_item { RECORDING_STACK = 1, RECORDING_EVENT = 2 };

enum { RECORDING_RAW_LOGS = 1U };

enum {
	RECORDING_FRAME_RUNTIME = 1U,
	RECORDING_FRAME_FUNCTION = 2U,
	RECORDING_FRAME_MODULE = 4U,
	RECORDING_FRAME_FILE = 8U,
};

#define RECORDING_STACK_HEAD_BYTES 6U
#define RECORDING_FRAME_HEAD_BYTES 13U
#define RECORDING_EVENT_HEAD_BYTES 68U
#define RECORDING_TEXT_MAX 1024U  /* bytes of a frame's text; longer ones are cut */
#define RECORDING_CAUSES_MAX 64U  /* loss causes, and as many limits, that a reader accepts */
#define RECORDING_DATA_MAX 65536U /* data bytes of one event that a reader accepts */

#endif
